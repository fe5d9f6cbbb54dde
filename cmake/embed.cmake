# vc_embed(<output.c> <file> <symbol>): a C file with the bytes of a file as `const uint8_t symbol[]` and their number
# as `const size_t symbol_len`. Written when CMake configures, which it does again when the file changes.
function(vc_embed output file symbol)
        set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
        file(READ ${file} hex HEX)
        string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
        file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"#include \"database/@symbol@.h\"

const uint8_t @symbol@[] = {@bytes@};
const size_t @symbol@_len = sizeof(@symbol@);
")
endfunction()
