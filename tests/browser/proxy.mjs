// A reverse proxy in front of a server, as nginx with `location /sentio/ { proxy_pass http://…/; }`: it takes a path off the
// addresses, and passes WebSockets on.

import { once } from 'node:events';
import { createServer, request as send } from 'node:http';

/**
 * Starts a proxy before `target` that answers below `path` only. `refuse` may answer a request by itself: it gets the request and
 * returns a status and a body, or nothing.
 */
export async function startProxy(target, { path = '', refuse = () => undefined } = {}) {
  /** Every request that came, as Node's own objects. */
  const requests = [];
  const host = new URL(target).host;

  function onward(request) {
    if (!request.url.startsWith(`${path}/`)) return undefined;
    const { method, headers } = request;
    return send(`${target}${request.url.slice(path.length)}`, { method, headers: { ...headers, host } });
  }

  const server = createServer((request, response) => {
    requests.push(request);
    const refused = refuse(request);
    if (refused) {
      response.writeHead(refused.status, { 'content-type': 'application/json' }).end(JSON.stringify(refused.body));
      return;
    }
    const passed = onward(request);
    if (!passed) {
      response.writeHead(404).end();
      return;
    }
    passed.on('response', answer => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });

  server.on('upgrade', (request, socket) => {
    requests.push(request);
    const passed = onward(request);
    if (!passed) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    passed.on('upgrade', (answer, serverSocket, head) => {
      socket.write(`${headOf(answer)}\r\n`);
      socket.write(head);
      serverSocket.pipe(socket).pipe(serverSocket);
      serverSocket.on('error', () => socket.destroy());
      socket.on('error', () => serverSocket.destroy());
    });
    passed.on('response', answer => {
      socket.write(`${headOf(answer)}\r\n`);
      answer.pipe(socket);
    });
    passed.on('error', () => socket.destroy());
    passed.end();
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    url: `http://127.0.0.1:${server.address().port}${path}`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The first lines of an answer, as they came. */
function headOf({ statusCode, statusMessage, rawHeaders }) {
  let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  return head;
}
