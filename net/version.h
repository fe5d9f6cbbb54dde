/* The version that people and clients are told. */
#ifndef NET_VERSION_H
#define NET_VERSION_H

#define VERSION_TEXT "0.1.0"

#endif
