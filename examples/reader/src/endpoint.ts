// Where the API is: beside the reader, whatever path a proxy has put before both.

export const endpoint = new URL("../graphql", location.href);

/** The same for a WebSocket: wss: where the page came by https:. */
export const socketAddress = new URL(endpoint);
socketAddress.protocol = endpoint.protocol.replace("http", "ws");
