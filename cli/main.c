/* vitalcache: the command line of vitalcached. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
        return (int)cli_run(argc, argv, stdin, stdout, stderr);
}
