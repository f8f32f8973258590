/* Many WebSocket clients in one process, for bench/gateway: they open, take what comes, and count it. With --raw they
 * are plain TCP connections that count bytes: the other side of the floor that the gateway is compared with.
 *
 * Told by lines on standard input, answers each with a line of JSON on standard output:
 *   open FIRST COUNT upgrade|slice   opens COUNT connections with the tokens from FIRST on, all at once; done when each
 *                                    has been upgraded, or has its first slice
 *   expect COUNT                     done when COUNT entries (with --raw: bytes) have come since the last command
 *   close                            closes all
 * The end of the input ends it. What should not happen ends it with a sentence on standard error. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    TOKEN_MAX = 1024,
    REQUEST_MAX = 2048,
    EVENTS = 512,
    READ_BYTES = 256 * 1024,
    HEAD_MAX = 2048,
    STANDSTILL_S = 60
};

#define ENTRY_MARK "\"published\":" /* each entry has it once, and nothing else does */
#define SLICE_MARK "\"type\":\"slice\""

enum stage { STAGE_CLOSED, STAGE_CONNECTING, STAGE_UPGRADING, STAGE_UPGRADED, STAGE_OPENING, STAGE_LIVE };

struct client {
    int fd;
    enum stage stage;
    uint32_t kept, capacity; /* bytes of a frame or head that is not whole */
    uint8_t *memory;
};

static struct client clients[CONNECTIONS_MAX];
static char **tokens;
static size_t token_count;
static bool raw;
static int port, poller;
static enum stage wanted_stage;
static uint64_t arrived; /* clients that have reached the wanted stage */
static uint64_t entries, frames, frame_bytes, bytes, slices;
static uint8_t incoming[HEAD_MAX + READ_BYTES];

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench-clients: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_tokens(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail("%s cannot be read: %s", path, strerror(errno));
    tokens = calloc(CONNECTIONS_MAX, sizeof *tokens);
    char line[TOKEN_MAX + 2];
    while (tokens && fgets(line, sizeof line, file) && token_count < CONNECTIONS_MAX) {
        line[strcspn(line, "\n")] = 0;
        tokens[token_count] = strdup(line);
        if (!tokens[token_count++])
            fail("out of memory");
    }
    fclose(file);
}

/* ---- what is sent ---- */

static void send_all(struct client *client, const void *data, size_t len)
{
    if (send(client->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("client %td could not send: %s", client - clients, strerror(errno));
}

static void send_handshake(struct client *client)
{
    char text[REQUEST_MAX];
    int len = snprintf(text, sizeof text,
                       "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: YmVuY2ggb2YgdGhlIGdhdA==\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Protocol: feedwire.v1.json\r\nAuthorization: Bearer %s\r\n\r\n",
                       tokens[client - clients]);
    send_all(client, text, (size_t)len);
}

/* Masked with zeros, which is allowed and leaves the text as it is. */
static void send_hello(struct client *client)
{
    static const char hello[] = "{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"limit\":50}]}";
    uint8_t frame[6 + sizeof hello] = {0x81, 0x80 | (sizeof hello - 1)};
    memcpy(frame + 6, hello, sizeof hello - 1);
    send_all(client, frame, 6 + sizeof hello - 1);
}

/* ---- what comes ---- */

static void reach(struct client *client, enum stage stage)
{
    client->stage = stage;
    if (stage == wanted_stage)
        arrived++;
}

static void connected(struct client *client)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        fail("client %td could not connect: %s", client - clients, strerror(error));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
    if (raw) {
        reach(client, STAGE_UPGRADED);
        return;
    }
    client->stage = STAGE_UPGRADING;
    send_handshake(client);
}

static size_t count_mark(const uint8_t *data, size_t len, const char *mark)
{
    size_t count = 0, mark_len = strlen(mark);
    const uint8_t *end = data + len;
    for (const uint8_t *at; (at = memmem(data, (size_t)(end - data), mark, mark_len)); count++)
        data = at + mark_len;
    return count;
}

/* The length of the whole frame that begins here; 0: not all of it is here. */
static size_t frame_length(const uint8_t *data, size_t len, size_t *head)
{
    if (len < 2)
        return 0;
    size_t payload = data[1] & 0x7f;
    *head = payload == 126 ? 4 : payload == 127 ? 10 : 2;
    if (len < *head)
        return 0;
    if (payload >= 126) {
        size_t digits = *head - 2;
        payload = 0;
        for (size_t i = 0; i < digits; i++)
            payload = payload << 8 | data[2 + i];
    }
    return len < *head + payload ? 0 : *head + payload;
}

static void take_frame(struct client *client, const uint8_t *frame, size_t len, size_t head)
{
    unsigned opcode = frame[0] & 0x0f;
    if (opcode == 8 && wanted_stage == STAGE_UPGRADED)
        return; /* who says nothing after the upgrade is sent away after a while */
    if (opcode == 8)
        fail("client %td was closed with %u", client - clients,
             len - head >= 2 ? frame[head] * 256U + frame[head + 1] : 1005);
    if (opcode == 9) {
        uint8_t pong[6] = {0x8a, 0x80}; /* the gateway's pings are empty */
        send_all(client, pong, sizeof pong);
    }
    if (opcode != 1)
        return;
    if (client->stage == STAGE_OPENING && count_mark(frame + head, len - head, SLICE_MARK)) {
        reach(client, STAGE_LIVE);
        return;
    }
    if (client->stage == STAGE_LIVE && count_mark(frame + head, len - head, SLICE_MARK)) {
        slices++; /* the gateway had missed something, and read the window again */
        return;
    }
    size_t found = count_mark(frame + head, len - head, ENTRY_MARK);
    if (found) {
        entries += found;
        frames++;
        frame_bytes += len;
    }
}

/* Bytes used of what is here. */
static size_t take(struct client *client, const uint8_t *data, size_t len)
{
    size_t used = 0;
    if (client->stage == STAGE_UPGRADING) {
        const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
        if (!end)
            return 0;
        if (len < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0)
            fail("client %td was not upgraded: %.*s", client - clients, (int)(end - data), (const char *)data);
        used = (size_t)(end - data) + 4;
        reach(client, STAGE_UPGRADED);
        if (wanted_stage == STAGE_LIVE) {
            client->stage = STAGE_OPENING;
            send_hello(client);
        }
    }
    size_t head, length;
    while ((length = frame_length(data + used, len - used, &head))) {
        take_frame(client, data + used, length, head);
        used += length;
    }
    return used;
}

static void keep(struct client *client, const uint8_t *data, size_t len)
{
    if (len > client->capacity) {
        free(client->memory);
        client->memory = malloc(len);
        if (!client->memory)
            fail("out of memory");
        client->capacity = (uint32_t)len;
    }
    if (len)
        memmove(client->memory, data, len);
    client->kept = (uint32_t)len;
}

static void readable(struct client *client)
{
    static uint8_t *joined;
    ssize_t got = recv(client->fd, incoming, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 && !raw && wanted_stage == STAGE_UPGRADED) {
        epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
        return;
    }
    if (got <= 0)
        fail("client %td: %s", client - clients, got ? strerror(errno) : "the server has closed the connection");
    bytes += (uint64_t)got;
    if (raw)
        return;
    if (!client->kept) {
        size_t used = take(client, incoming, (size_t)got);
        keep(client, incoming + used, (size_t)got - used);
        return;
    }
    size_t len = client->kept + (size_t)got;
    uint8_t *grown = realloc(joined, len);
    if (!grown)
        fail("out of memory");
    joined = grown;
    memcpy(joined, client->memory, client->kept);
    memcpy(joined + client->kept, incoming, (size_t)got);
    size_t used = take(client, joined, len);
    keep(client, joined + used, len - used);
}

/* One look at all sockets. Returns how many had something, and whether a command is there. */
static int look(bool *told)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, 1000);
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (!client)
            *told = true;
        else if (client->stage == STAGE_CONNECTING)
            connected(client);
        else
            readable(client);
    }
    return count;
}

static void wait_for(const uint64_t *counter, uint64_t goal)
{
    uint64_t seen = bytes;
    double moved = now_s();
    while (*counter < goal) {
        bool told = false;
        int count = look(&told);
        if (bytes != seen || count > 0) {
            seen = bytes;
            moved = now_s();
        } else if (now_s() - moved > STANDSTILL_S)
            fail("%ju of %ju have come, and nothing more for %d s", (uintmax_t)*counter, (uintmax_t)goal, STANDSTILL_S);
    }
}

/* ---- commands ---- */

static void open_one(size_t number)
{
    struct client *client = &clients[number];
    if (client->stage != STAGE_CLOSED)
        fail("client %zu is open already", number);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        fail("no socket for client %zu: %s", number, strerror(errno));
    int on = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->stage = STAGE_CONNECTING;
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        fail("client %zu could not connect: %s", number, strerror(errno));
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) != 0)
        fail("epoll: %s", strerror(errno));
}

static void close_all(void)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (clients[i].stage == STAGE_CLOSED)
            continue;
        struct linger at_once = {.l_onoff = 1};
        setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(clients[i].fd);
        free(clients[i].memory);
        clients[i] = (struct client){0};
    }
}

static void answer(double seconds)
{
    printf("{\"seconds\": %.6f, \"entries\": %ju, \"frames\": %ju, \"frame_bytes\": %ju, \"bytes\": %ju, \"slices\": "
           "%ju}\n",
           seconds, (uintmax_t)entries, (uintmax_t)frames, (uintmax_t)frame_bytes, (uintmax_t)bytes, (uintmax_t)slices);
    fflush(stdout);
    entries = frames = frame_bytes = bytes = slices = 0;
}

static void command(const char *line)
{
    size_t first, count;
    unsigned long long goal;
    char stage[16];
    double began = now_s();
    if (sscanf(line, "open %zu %zu %15s", &first, &count, stage) == 3) {
        if (first + count > CONNECTIONS_MAX || (!raw && first + count > token_count))
            fail("there are not so many clients");
        wanted_stage = strcmp(stage, "slice") == 0 ? STAGE_LIVE : STAGE_UPGRADED;
        arrived = 0;
        for (size_t i = first; i < first + count; i++)
            open_one(i);
        wait_for(&arrived, count);
    } else if (sscanf(line, "expect %llu", &goal) == 1)
        wait_for(raw ? &bytes : &entries, goal);
    else if (strncmp(line, "close", 5) == 0)
        close_all();
    else
        fail("unknown command: %s", line);
    answer(now_s() - began);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--port=", 7) == 0)
            port = atoi(argv[i] + 7);
        else if (strncmp(argv[i], "--tokens=", 9) == 0)
            read_tokens(argv[i] + 9);
        else if (strcmp(argv[i], "--raw") == 0)
            raw = true;
        else
            fail("unknown argument: %s", argv[i]);
    }
    if (port <= 0 || port > 65535 || (!raw && !token_count))
        fail("usage: feedwire-bench-clients --port=N (--tokens=FILE | --raw)");
    poller = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0)
        fail("epoll: %s", strerror(errno));
    setvbuf(stdin, NULL, _IONBF, 0);
    for (char line[128];;) {
        /* Pings are answered between the commands too. */
        for (bool told = false; !told;)
            look(&told);
        if (!fgets(line, sizeof line, stdin))
            return 0;
        command(line);
    }
}
