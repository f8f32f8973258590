/* The commands of feedctl. Each prints its result to stdout, or one sentence to stderr, and returns the exit code. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "feedctl/options.h"
#include "shared/model/command.h"

enum { CTL_EXIT_OK = 0, CTL_EXIT_FAILED = 1, CTL_EXIT_USAGE = 2 };

int ctl_command_feed_show(const struct ctl_options *options, struct feed_str user);
int ctl_command_followers(const struct ctl_options *options, struct feed_str user);
/* users: valid names, ended by NULL; or "-": one a line on stdin. Waits until the commands are worked off. */
int ctl_command_feeds(const struct ctl_options *options, enum feed_command_kind kind, char **users);
/* The same command for every home feed of the tenant that is awake. */
int ctl_command_rebuild_tenant(const struct ctl_options *options);
/* The activities that Kafka got between two times, once more: all of the tenant (users: none), or those that concern
 * these users. */
int ctl_command_rebuild_span(const struct ctl_options *options, char **users);
/* From the file of that name ("-": stdin), or with NULL from the topic of the options. Waits until all is worked off.
 */
int ctl_command_import(const struct ctl_options *options, const char *name);
/* Asks first, unless the options say yes; waits until the user is erased. With --status only says how far it is. */
int ctl_command_purge(const struct ctl_options *options, struct feed_str user);
int ctl_command_lag(const struct ctl_options *options);
int ctl_command_dlq_list(const struct ctl_options *options);
int ctl_command_key_new(const struct ctl_options *options, struct feed_str subject);

#endif
