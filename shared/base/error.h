/* The errors that functions of shared/ return, from one table. Text about a particular case stays with the object that
 * failed. */
#ifndef FEED_BASE_ERROR_H
#define FEED_BASE_ERROR_H

#define FEED_ERRORS(ROW)                                                                                               \
    ROW(FEED_OK, "ok")                                                                                                 \
    ROW(FEED_E_INVALID, "invalid")         /* the input breaks its grammar or a rule; try nothing, it stays invalid */ \
    ROW(FEED_E_TOO_LARGE, "too_large")     /* a limit of base/limits.h or a given capacity is exceeded */              \
    ROW(FEED_E_MISSING, "missing")         /* something required is absent */                                          \
    ROW(FEED_E_UNSUPPORTED, "unsupported") /* well-formed, of a version or kind that this code does not know */        \
    ROW(FEED_E_UNAUTHORIZED, "unauthorized") /* a credential is absent, wrong, or expired */                           \
    ROW(FEED_E_FORBIDDEN, "forbidden")       /* the credential is good, for something else */                          \
    ROW(FEED_E_FULL, "full")                 /* a bounded queue has no room; try later */                              \
    ROW(FEED_E_UNAVAILABLE, "unavailable")   /* the other side is away or the connection broke before the answer */    \
    ROW(FEED_E_TIMEOUT, "timeout")           /* no answer in time; it may still have happened */                       \
    ROW(FEED_E_REMOTE, "remote")             /* the other side answered with an error */                               \
    ROW(FEED_E_MEMORY, "memory")                                                                                       \
    ROW(FEED_E_SYSTEM, "system")

enum feed_error {
#define FEED_ERROR_ROW(name, text) name,
    FEED_ERRORS(FEED_ERROR_ROW)
#undef FEED_ERROR_ROW
        FEED_ERROR_COUNT
};

/* The table's word for the error, e.g. "too_large"; static. */
const char *feed_error_name(enum feed_error error);

#define FEED_MUST_USE __attribute__((warn_unused_result))

#endif
