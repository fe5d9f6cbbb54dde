# The warnings that every line of ours must pass, with gcc and with clang (docs/CONTRIBUTING: house rules).
add_library(vc_flags INTERFACE)
target_compile_options(vc_flags INTERFACE
        -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
        -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(vc_flags INTERFACE _GNU_SOURCE VC_VERSION="${PROJECT_VERSION}")
# Every function is bound at start: binding at the first call saves all vector registers on the stack, and what they
# were copying then is a part of some patient's record. (Tables of addresses that nobody can write to are welcome, too.)
target_link_options(vc_flags INTERFACE -Wl,-z,relro,-z,now)
target_include_directories(vc_flags INTERFACE ${CMAKE_SOURCE_DIR})

if(VC_SANITIZE)
        target_compile_options(vc_flags INTERFACE -fsanitize=${VC_SANITIZE} -fno-sanitize-recover=all)
        target_link_options(vc_flags INTERFACE -fsanitize=${VC_SANITIZE})
        target_compile_definitions(vc_flags INTERFACE VC_SANITIZED=1)
else()
        target_compile_definitions(vc_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
if(VC_FUZZ)
        target_compile_options(vc_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What is shipped is optimised as a whole when it is linked, as the hit path goes through small functions of six
# folders. Objects hold machine code too, so that tests, of which there are many, link as fast as ever.
option(VC_WHOLE "optimise the programs as a whole (gcc)" OFF)
if(VC_WHOLE)
        set(vc_is_whole $<BOOL:$<TARGET_PROPERTY:VC_WHOLE>>)
        target_compile_options(vc_flags INTERFACE $<${vc_is_whole}:-flto=auto> $<${vc_is_whole}:-ffat-lto-objects>)
        target_link_options(vc_flags INTERFACE $<IF:${vc_is_whole},-flto=auto,-fno-lto>)
endif()
