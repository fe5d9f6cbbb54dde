/* A list of key numbers as plainly as it can be written: what policies are compared with. */
#ifndef TESTS_LIB_KEY_LIST_H
#define TESTS_LIB_KEY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KEY_LIST_MAX = 512, KEY_LIST_NONE = KEY_LIST_MAX };

struct key_list {
        uint32_t keys[KEY_LIST_MAX]; /* the newest last */
        size_t count;
};

/* Where the key is; KEY_LIST_NONE: nowhere. */
static inline size_t key_list_find(const struct key_list *list, uint32_t key)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->keys[i] == key)
                        return i;
        return KEY_LIST_NONE;
}

static inline bool key_list_has(const struct key_list *list, uint32_t key)
{
        return key_list_find(list, key) != KEY_LIST_NONE;
}

static inline void key_list_append(struct key_list *list, uint32_t key)
{
        list->keys[list->count++] = key;
}

static inline uint32_t key_list_take(struct key_list *list, size_t at)
{
        uint32_t key = list->keys[at];

        list->count--;
        memmove(&list->keys[at], &list->keys[at + 1], (list->count - at) * sizeof(key));
        return key;
}

/* Takes out a key, if it is there. */
static inline bool key_list_remove(struct key_list *list, uint32_t key)
{
        size_t at = key_list_find(list, key);

        if (at != KEY_LIST_NONE)
                (void)key_list_take(list, at);
        return at != KEY_LIST_NONE;
}

#endif
