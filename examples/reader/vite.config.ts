import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig(({ command }) => ({
  // What is built works below any path: its addresses are relative. The development server needs an absolute one.
  base: command === "build" ? "./" : "/reader/",
  plugins: [react()],
  // The server's policy lets no inline code and no foreign origin through.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, outDir: "dist", target: "es2022" },
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8000", changeOrigin: true, ws: true } } },
}));
