/* The embedded Kafka broker of the development stack: librdkafka's mock cluster as a process of its own, on a fixed
 * port. It speaks the real protocol, to any client. It is for trying and testing only: it keeps nothing on disk, and
 * forgets what exceeds 5 MiB or 100,000 records a partition.
 *
 * The difficulty: the mock cluster lets the kernel choose its port. Its call of bind() is served by the one below,
 * because a symbol of the program goes before libc's for shared libraries too; it puts the wanted port where none was
 * given. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOPICS_MAX = 32, TOPIC_NAME_MAX = 249, PARTITIONS_MAX = 1000 };

struct topic {
    char name[TOPIC_NAME_MAX + 1];
    int partitions;
};

struct options {
    int port;
    struct topic topics[TOPICS_MAX];
    int topic_count;
};

/* The one variable at file scope: bind() has no other way to know. 0: leave ports alone. */
static int wanted_port;

int bind(int fd, const struct sockaddr *address, socklen_t len);

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    int (*next)(int, const struct sockaddr *, socklen_t);
    *(void **)&next = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in copy;
    if (wanted_port != 0 && address->sa_family == AF_INET && len == sizeof copy) {
        memcpy(&copy, address, sizeof copy);
        if (copy.sin_port == 0) {
            int one = 1;
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
            copy.sin_port = htons((uint16_t)wanted_port);
            copy.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return next(fd, (const struct sockaddr *)&copy, len);
        }
    }
    return next(fd, address, len);
}

static int usage(const char *fault)
{
    fprintf(stderr,
            "feedwire-dev-broker: %s\n"
            "usage: feedwire-dev-broker --port=N [--topic=NAME:PARTITIONS ..] [--die-with-parent]\n",
            fault);
    return 2;
}

static bool number(const char *text, int min, int max, int *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool add_topic(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon - text > TOPIC_NAME_MAX || options->topic_count == TOPICS_MAX) {
        return false;
    }
    struct topic *topic = &options->topics[options->topic_count++];
    memcpy(topic->name, text, (size_t)(colon - text));
    topic->name[colon - text] = '\0';
    return number(colon + 1, 1, PARTITIONS_MAX, &topic->partitions);
}

static const char *parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strncmp(arg, "--port=", 7) == 0) {
            if (!number(arg + 7, 1, 65535, &options->port)) {
                return "--port must be a number from 1 to 65535";
            }
        } else if (strncmp(arg, "--topic=", 8) == 0) {
            if (!add_topic(options, arg + 8)) {
                return "--topic must be NAME:PARTITIONS";
            }
        } else if (strcmp(arg, "--die-with-parent") == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
        } else {
            return "unknown option";
        }
    }
    return options->port ? NULL : "--port is missing";
}

/* librdkafka aborts when the mock cluster cannot bind: look first. */
static bool port_is_free(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_free = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_free;
}

int main(int argc, char **argv)
{
    static struct options options;
    const char *fault = parse(argc, argv, &options);
    if (fault) {
        return usage(fault);
    }
    if (!port_is_free(options.port)) {
        fprintf(stderr, "feedwire-dev-broker: port %d is taken\n", options.port);
        return 1;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before librdkafka starts its threads */

    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0); /* it would warn that it has no servers to connect to */
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!kafka) {
        fprintf(stderr, "feedwire-dev-broker: %s\n", text);
        return 1;
    }
    wanted_port = options.port;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(kafka, 1);
    wanted_port = 0;
    if (!cluster) {
        fprintf(stderr, "feedwire-dev-broker: the broker could not be started on port %d\n", options.port);
        rd_kafka_destroy(kafka);
        return 1;
    }
    for (int i = 0; i < options.topic_count; i++) {
        rd_kafka_mock_topic_create(cluster, options.topics[i].name, options.topics[i].partitions, 1);
    }
    printf("{\"event\":\"listening\",\"bootstrap\":\"%s\"}\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    int received;
    sigwait(&signals, &received);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(kafka);
    return 0;
}
