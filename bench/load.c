/* A load of HTTP requests for bench/ingest, over keep-alive connections in one thread: each request posts activities as
 * a JSON list (one alone as an object), and each answer must be 202 for all of them. The requests are made before the
 * clock starts, so that little is left to do but send and receive.
 *
 *   feedwire-bench-load --port=N --token=FILE --activities=FILE     (one activity a line)
 *       --limited           answers with 429 may come too; they are counted
 * Told by lines on standard input, answers each with a line of JSON on standard output:
 *   run BATCH CONNECTIONS REQUESTS          each connection sends its next request when it has its answer
 *   pace BATCH CONNECTIONS REQUESTS RATE    RATE requests a second, whatever the answers; a request that finds no free
 *                                           connection waits, and its time counts from when it was due
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
    CONNECTIONS_MAX = 512,
    ACTIVITIES_MAX = 1000,
    LINE_MAX_BYTES = 4096,
    TOKEN_MAX = 1024,
    HEAD_MAX = 2048,
    ANSWER_MAX = 256 * 1024,
    EVENTS = 64,
    STANDSTILL_MS = 60000
};

struct text {
    char *data;
    size_t len;
};

struct connection {
    int fd;
    const struct text *request; /* NULL: it has nothing to do */
    size_t sent, got;
    double due_s;
    char answer[ANSWER_MAX + 1];
};

struct load {
    size_t batch, requests;
    double rate, began_s; /* rate 0: without a pace */
    size_t started, done, limited;
    uint32_t *latencies_us;
};

static struct connection *connections;
static size_t connection_count;
static struct text lines[ACTIVITIES_MAX], bodies[ACTIVITIES_MAX];
static size_t line_count, body_count;
static char token[TOKEN_MAX];
static char accepted[40]; /* what each answer says */
static int port, poller;
static bool may_be_limited;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench-load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        fail("out of memory");
    return memory;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_lines(const char *path, struct text *out, size_t max, size_t *count)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail("%s cannot be read: %s", path, strerror(errno));
    static char line[LINE_MAX_BYTES];
    while (*count < max && fgets(line, sizeof line, file)) {
        size_t len = strcspn(line, "\n");
        line[len] = 0;
        out[*count] = (struct text){strdup(line), len};
        if (!out[(*count)++].data)
            fail("out of memory");
    }
    fclose(file);
    if (*count == 0)
        fail("%s is empty", path);
}

/* ---- requests ---- */

static struct text make_request(size_t first, size_t batch)
{
    size_t len = 2;
    for (size_t i = first; i < first + batch; i++)
        len += lines[i].len + 1;
    struct text request = {room(1, HEAD_MAX + len), 0};
    size_t body_len = batch == 1 ? lines[first].len : len - 1;
    int head = snprintf(request.data, HEAD_MAX,
                        "POST /v1/activities HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        token, body_len);
    if (head >= HEAD_MAX)
        fail("the token is too long");
    char *at = request.data + head;
    if (batch > 1)
        *at++ = '[';
    for (size_t i = first; i < first + batch; i++) {
        memcpy(at, lines[i].data, lines[i].len);
        at += lines[i].len;
        if (batch > 1)
            *at++ = i + 1 == first + batch ? ']' : ',';
    }
    request.len = (size_t)(at - request.data);
    return request;
}

static void make_requests(size_t batch)
{
    for (size_t i = 0; i < body_count; i++)
        free(bodies[i].data);
    body_count = 0;
    for (size_t first = 0; first + batch <= line_count; first += batch)
        bodies[body_count++] = make_request(first, batch);
    snprintf(accepted, sizeof accepted, "\"accepted\":%zu,", batch);
}

/* ---- connections ---- */

static void watch(struct connection *connection, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(poller, how, connection->fd, &event) != 0)
        fail("epoll: %s", strerror(errno));
}

static void open_all(size_t count)
{
    connections = room(count, sizeof *connections);
    for (connection_count = 0; connection_count < count; connection_count++) {
        struct connection *connection = &connections[connection_count];
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int on = 1;
        connection->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&to, sizeof to) != 0)
            fail("cannot connect: %s", strerror(errno));
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void close_all(void)
{
    for (size_t i = 0; i < connection_count; i++)
        close(connections[i].fd);
    free(connections);
    connection_count = 0;
}

static void send_more(struct connection *connection)
{
    const struct text *request = connection->request;
    size_t left = request->len - connection->sent;
    ssize_t sent = send(connection->fd, request->data + connection->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        fail("cannot send: %s", strerror(errno));
    bool waited = connection->sent > 0;
    connection->sent += sent > 0 ? (size_t)sent : 0;
    bool whole = connection->sent == request->len;
    if (!whole || waited)
        watch(connection, EPOLL_CTL_MOD, whole ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static void begin(struct load *load, struct connection *connection, double due_s)
{
    connection->request = &bodies[load->started++ % body_count];
    connection->sent = connection->got = 0;
    connection->due_s = due_s;
    send_more(connection);
}

/* Whether the answer is whole; then it is what it should be. */
static bool answered(struct load *load, struct connection *connection)
{
    char *answer = connection->answer;
    answer[connection->got] = 0;
    char *end = strstr(answer, "\r\n\r\n");
    char *length = end ? strcasestr(answer, "\r\ncontent-length:") : NULL;
    if (!end)
        return false;
    if (!length || length > end)
        fail("an answer has no Content-Length");
    size_t whole = (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
    if (whole > ANSWER_MAX || connection->got > whole)
        fail("an answer is longer than it should be");
    if (connection->got < whole)
        return false;
    bool limited = may_be_limited && strncmp(answer, "HTTP/1.1 429", 12) == 0;
    load->limited += limited;
    if (limited)
        return true;
    if (strncmp(answer, "HTTP/1.1 202", 12) != 0 || !strstr(end, accepted))
        fail("a request was not accepted: %.*s .. %.200s", (int)strcspn(answer, "\r"), answer, end + 4);
    return true;
}

static void receive(struct load *load, struct connection *connection)
{
    ssize_t got =
        recv(connection->fd, connection->answer + connection->got, ANSWER_MAX - connection->got, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        fail("%s", got ? strerror(errno) : "the server has closed a connection");
    connection->got += (size_t)got;
    if (!connection->request)
        fail("an answer came that nobody has asked for");
    if (!answered(load, connection))
        return;
    load->latencies_us[load->done++] = (uint32_t)((now_s() - connection->due_s) * 1e6);
    connection->request = NULL;
}

/* ---- a load ---- */

/* When the next request is due; 0: at once. */
static double next_due_s(const struct load *load)
{
    return load->rate > 0 ? load->began_s + (double)load->started / load->rate : 0;
}

/* Begins what is due, on the connections that are free. */
static void begin_due(struct load *load)
{
    for (size_t i = 0; i < connection_count && load->started < load->requests; i++) {
        double now = now_s(), due = next_due_s(load);
        if (due > now)
            return;
        if (!connections[i].request)
            begin(load, &connections[i], due > 0 ? due : now);
    }
}

/* How long nothing is to be done without an event: until the next is due, if there is a connection for it. */
static struct timespec patience(const struct load *load)
{
    double wait_s = next_due_s(load) - now_s();
    if (load->rate <= 0 || load->started == load->requests || load->started - load->done == connection_count)
        return (struct timespec){.tv_sec = STANDSTILL_MS / 1000};
    wait_s = wait_s > 0 ? wait_s : 0;
    return (struct timespec){.tv_sec = (time_t)wait_s, .tv_nsec = (long)((wait_s - (double)(time_t)wait_s) * 1e9)};
}

static void look(struct load *load)
{
    struct epoll_event events[EVENTS];
    struct timespec wait = patience(load);
    int count = epoll_pwait2(poller, events, EVENTS, &wait, NULL);
    if (count == 0 && wait.tv_sec >= STANDSTILL_MS / 1000)
        fail("%zu of %zu requests were answered, and nothing more for %d s", load->done, load->requests,
             STANDSTILL_MS / 1000);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            send_more(connection);
        if (events[i].events & ~(uint32_t)EPOLLOUT)
            receive(load, connection);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void carry(struct load *load, size_t count)
{
    make_requests(load->batch);
    open_all(count);
    load->latencies_us = room(load->requests, sizeof *load->latencies_us);
    load->began_s = now_s();
    while (load->done < load->requests) {
        begin_due(load);
        look(load);
    }
    double seconds = now_s() - load->began_s;
    close_all();
    qsort(load->latencies_us, load->done, sizeof *load->latencies_us, compare);
    printf(
        "{\"seconds\": %.6f, \"activities\": %zu, \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"limited\": %zu}\n",
        seconds, (load->done - load->limited) * load->batch, load->latencies_us[load->done / 2],
        load->latencies_us[load->done * 99 / 100], load->latencies_us[load->done - 1], load->limited);
    fflush(stdout);
    free(load->latencies_us);
}

static void command(const char *line)
{
    struct load load = {0};
    size_t count;
    bool paced = sscanf(line, "pace %zu %zu %zu %lf", &load.batch, &count, &load.requests, &load.rate) == 4;
    if (!paced && sscanf(line, "run %zu %zu %zu", &load.batch, &count, &load.requests) != 3)
        fail("unknown command: %s", line);
    if (load.batch < 1 || load.batch > line_count || count < 1 || count > CONNECTIONS_MAX || load.requests < 1 ||
        (paced && load.rate <= 0))
        fail("out of range: %s", line);
    carry(&load, count);
}

int main(int argc, char **argv)
{
    struct text first = {0};
    size_t tokens = 0;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--port=", 7) == 0)
            port = atoi(argv[i] + 7);
        else if (strncmp(argv[i], "--token=", 8) == 0)
            read_lines(argv[i] + 8, &first, 1, &tokens);
        else if (strncmp(argv[i], "--activities=", 13) == 0)
            read_lines(argv[i] + 13, lines, ACTIVITIES_MAX, &line_count);
        else if (strcmp(argv[i], "--limited") == 0)
            may_be_limited = true;
        else
            fail("unknown argument: %s", argv[i]);
    }
    if (port <= 0 || port > 65535 || !tokens || !line_count || first.len >= TOKEN_MAX)
        fail("usage: feedwire-bench-load --port=N --token=FILE --activities=FILE");
    memcpy(token, first.data, first.len + 1);
    poller = epoll_create1(0);
    if (poller < 0)
        fail("epoll: %s", strerror(errno));
    for (char line[128]; fgets(line, sizeof line, stdin);)
        command(line);
    return 0;
}
