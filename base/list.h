/* An intrusive doubly linked ring: the link lives in the element, so linking allocates nothing and cannot fail. A list
 * head is a link of its own; an empty list points at itself. Not thread-safe: the owner's lock covers it. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *next;
        struct list *prev;
};

/* The element of `type` that holds the link `link` as its field `field`. */
#define LIST_ENTRY(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

#define LIST_FOREACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

static inline void list_init(struct list *l)
{
        l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
        return head->next == head;
}

static inline void list_insert_after(struct list *at, struct list *link)
{
        link->next = at->next;
        link->prev = at;
        at->next->prev = link;
        at->next = link;
}

static inline void list_push_front(struct list *head, struct list *link)
{
        list_insert_after(head, link);
}

static inline void list_push_back(struct list *head, struct list *link)
{
        list_insert_after(head->prev, link);
}

/* Unlinks; the link is a ring of its own afterwards, so a second removal is harmless. */
static inline void list_remove(struct list *link)
{
        link->prev->next = link->next;
        link->next->prev = link->prev;
        list_init(link);
}

/* Unlinks and returns the first link, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
        struct list *first = head->next;

        if (first == head)
                return NULL;
        list_remove(first);
        return first;
}

/* Moves all of `from` (left empty) to the end of `to`. */
static inline void list_splice_back(struct list *to, struct list *from)
{
        if (list_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
}

#endif
