/* Lists whose links are inside the objects (circular, with a head). Being in a list is a state: a link that is in no
 * list points to itself, so it can be asked and taken out at any time. */
#ifndef GW_LIST_H
#define GW_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct gw_link {
    struct gw_link *next, *prev;
};

/* The object that holds a link. */
#define GW_OF(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

static inline void gw_link_init(struct gw_link *link)
{
    link->next = link->prev = link;
}

static inline bool gw_link_alone(const struct gw_link *link)
{
    return link->next == link;
}

static inline void gw_link_remove(struct gw_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    gw_link_init(link);
}

/* Puts a link that is in no list at the end. */
static inline void gw_list_append(struct gw_link *head, struct gw_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* The first link, or NULL. */
static inline struct gw_link *gw_list_first(const struct gw_link *head)
{
    return head->next == head ? NULL : head->next;
}

#endif
