/* A TCP proxy that can be cut: between the page and the gateway, to be the network that fails. */
import { once } from 'node:events';
import net from 'node:net';

export class Proxy {
  #server;
  #sockets = new Set();
  #open = true;

  static async start(targetPort) {
    const proxy = new Proxy();
    proxy.#server = net.createServer((near) => proxy.#join(near, targetPort));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port() {
    return this.#server.address().port;
  }

  #join(near, targetPort) {
    if (!this.#open) return near.destroy();
    const far = net.connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [[near, far], [far, near]]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }

  /** Breaks what is connected and refuses what comes. */
  cut() {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#open = true;
  }

  async stop() {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
