/* The options of identity, for the tables of the daemons that ask for credentials. */
#ifndef FEED_AUTH_OPTIONS_H
#define FEED_AUTH_OPTIONS_H

#include "shared/base/limits.h"
#include "shared/config/options.h"

struct feed_auth_options {
    char *hs256_secret;
    char *jwks_file, *api_keys_file; /* "": none */
    char *issuer, *audience;         /* "": not asked for */
};

/* Rows; `base` is the offset of the struct in that of the daemon's options. */
#define FEED_AUTH_OPTION_ROWS(base)                                                                                    \
    {"auth.jwks_file",                                                                                                 \
     FEED_OPTION_TEXT,                                                                                                 \
     (base) + offsetof(struct feed_auth_options, jwks_file),                                                           \
     "",                                                                                                               \
     "",                                                                                                               \
     0,                                                                                                                \
     4096,                                                                                                             \
     "A file with the public keys of those who sign tokens (a JWK Set: RS256, ES256, EdDSA); read again when it "      \
     "changes. One of this, auth.api_keys_file and auth.hs256_secret_file is required."},                              \
        {"auth.api_keys_file",                                                                                         \
         FEED_OPTION_TEXT,                                                                                             \
         (base) + offsetof(struct feed_auth_options, api_keys_file),                                                   \
         "",                                                                                                           \
         "",                                                                                                           \
         0,                                                                                                            \
         4096,                                                                                                         \
         "A file with the API keys of services, hashed, one a line (feedctl key new); read again when it changes."},   \
        {"auth.hs256_secret_file",                                                                                     \
         FEED_OPTION_SECRET_FILE,                                                                                      \
         (base) + offsetof(struct feed_auth_options, hs256_secret),                                                    \
         "",                                                                                                           \
         NULL,                                                                                                         \
         FEED_SECRET_MIN,                                                                                              \
         FEED_SECRET_MAX,                                                                                              \
         "A file with a secret that signs tokens (HS256), for development: who can check such tokens can make them."}, \
        {"auth.issuer",                                                                                                \
         FEED_OPTION_TEXT,                                                                                             \
         (base) + offsetof(struct feed_auth_options, issuer),                                                          \
         "",                                                                                                           \
         "",                                                                                                           \
         0,                                                                                                            \
         1024,                                                                                                         \
         "Tokens must have this `iss`; empty: any, or none."},                                                         \
    {                                                                                                                  \
        "auth.audience", FEED_OPTION_TEXT, (base) + offsetof(struct feed_auth_options, audience), "", "", 0, 1024,     \
            "Tokens must name this in `aud`; empty: tokens must not have `aud`, since they are for somebody else."     \
    }

#endif
