#include "database/source_write.h"

#include "base/cursor.h"

bool source_touched_next(struct slice *touched, struct slice *student)
{
        struct cursor c = cursor_of(*touched);
        uint16_t len;

        if (!cursor_u16(&c, &len) || !cursor_take(&c, len, student))
                return false;
        *touched = slice_of(touched->data + sizeof(len) + len, cursor_left(&c));
        return true;
}

enum err source_touched_add(struct buf *touched, struct slice student)
{
        const uint8_t head[2] = {(uint8_t)(student.len >> 8), (uint8_t)student.len};
        enum err rc;

        VC_ASSERT(student.len <= RECORD_ID_MAX);
        rc = buf_append(touched, head, sizeof(head));
        return rc == OK ? buf_append_slice(touched, student) : rc;
}
