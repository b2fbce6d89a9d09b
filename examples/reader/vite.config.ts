import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/reader/",
  plugins: [react()],
  // The server's policy lets no inline code and no foreign origin through.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, outDir: "dist", target: "es2022" },
  server: { proxy: { "/graphql": "http://127.0.0.1:8000" } },
});
