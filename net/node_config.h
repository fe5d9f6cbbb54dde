/* From the settings to the node's own configuration. */
#ifndef NET_NODE_CONFIG_H
#define NET_NODE_CONFIG_H

#include "net/node.h"
#include "net/settings.h"

/* Borrows from both; they outlive the node. Cannot fail. */
struct node_config node_config_of(struct settings *settings, const struct record_types *types);

/* The policy at that place among the words of cache.l1.policy. Constant. */
const char *node_policy_name(uint32_t place);

#endif
