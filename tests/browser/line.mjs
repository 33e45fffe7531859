// A line to the server that a story can cut and restore.
import { createServer, connect } from "node:net";

export async function lineTo(url) {
  const { port: serverPort } = new URL(url);
  const open = new Set();
  let losing = false;
  const relay = createServer((client) => {
    const upstream = connect(Number(serverPort), "127.0.0.1");
    const end = () => [client, upstream].forEach((socket) => (socket.destroy(), open.delete(socket)));
    for (const socket of [client, upstream]) open.add(socket.on("error", end).on("close", end));
    let write = false;
    client.on("data", (chunk) => {
      write = /^(POST|PATCH|DELETE) /.test(chunk.toString("latin1"));
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!write || !losing) return client.write(chunk);
      losing = false; // the server has made the change, and nobody hears of it
      end();
    });
  });
  const listen = (port) => new Promise((done) => relay.listen(port, "127.0.0.1", done));
  await listen(0);
  const { port } = relay.address();
  const cut = () => {
    relay.close();
    open.forEach((socket) => socket.destroy());
  };
  return { origin: `http://127.0.0.1:${port}`, cut, restore: () => listen(port), loseAnAnswer: () => (losing = true) };
}
