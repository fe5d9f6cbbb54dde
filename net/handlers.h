/* The handlers of all commands, declared from their rows. Each follows the contract of net/call.h: writes the reply to
 * call->out and returns OK, or returns an error with call->message set, or defers. On the connection's loop only. */
#ifndef NET_HANDLERS_H
#define NET_HANDLERS_H

#include "net/call.h"

#define COMMAND(handler, ...) enum err cmd_##handler(struct call *call);
#include "net/commands.def"
#undef COMMAND

#endif
