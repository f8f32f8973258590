/* The floor for bench/gateway: a server that does nothing but one send() for each message. What it costs is what the
 * kernel takes.
 *
 *   feedwire-bench-floor --port=N
 * takes connections; for each line `send ROUNDS BYTES` on standard input it sends a message of BYTES bytes to every
 * connection in turn, ROUNDS times, and answers with a line of JSON on standard output. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 20000, MESSAGE_MAX = 65536 };

static int connections[CONNECTIONS_MAX];
static size_t count;

static void fail(const char *what)
{
    fprintf(stderr, "bench-floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    if (listener < 0)
        fail("no socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0)
        fail("cannot listen");
    return listener;
}

static void accept_all(int listener)
{
    int fd, on = 1;
    while (count < CONNECTIONS_MAX && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[count++] = fd;
    }
}

static void send_one(int fd, const char *message, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, message, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            poll(&full, 1, -1);
        } else if (sent < 0)
            fail("send");
        else
            len -= (size_t)sent, message += sent;
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 || strncmp(argv[1], "--port=", 7) != 0)
        return fputs("usage: feedwire-bench-floor --port=N\n", stderr), 2;
    int listener = listen_on(atoi(argv[1] + 7));
    static char message[MESSAGE_MAX];
    memset(message, 'x', sizeof message);
    struct pollfd waiting[2] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(waiting, 2, -1) > 0) {
        accept_all(listener);
        if (!waiting[1].revents)
            continue;
        char line[128];
        ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
        if (got <= 0)
            return 0;
        line[got] = 0;
        size_t rounds, bytes;
        if (sscanf(line, "send %zu %zu", &rounds, &bytes) != 2 || bytes > MESSAGE_MAX)
            return fputs("bench-floor: send ROUNDS BYTES\n", stderr), 2;
        for (size_t round = 0; round < rounds; round++)
            for (size_t i = 0; i < count; i++)
                send_one(connections[i], message, bytes);
        printf("{\"messages\": %zu}\n", rounds * count);
        fflush(stdout);
    }
    fail("poll");
}
