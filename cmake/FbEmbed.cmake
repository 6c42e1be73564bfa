# Files that live in the program: fb_embed(<lib> <array> <file>...) compiles the bytes of each file into fb_<lib>, as
# `const struct <array>_entry <array>[]` and `const size_t <array>_count`, which the library declares in its own
# <lib>_int.h. Run as a script (cmake -P) this file writes that C source.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "," ";" FILES "${FILES}")
  set(arrays "")
  set(rows "")
  set(count 0)
  foreach(file IN LISTS FILES)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}") # a line of the file is a line of the array
    string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}\n};\n")
    string(APPEND rows "\t{ file_${count}, sizeof(file_${count}) },\n")
    math(EXPR count "${count} + 1")
  endforeach()
  file(WRITE ${OUT} "/* Files as bytes, written by the build. */\n#include \"${HEADER}\"\n\n${arrays}"
       "const struct ${ARRAY}_entry ${ARRAY}[] = {\n${rows}};\nconst size_t ${ARRAY}_count = ${count};\n")
  return()
endif()

set(FB_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(fb_embed lib array)
  list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  list(JOIN files "," joined)
  get_target_property(path fb_${lib} FB_PATH)
  set(out ${PROJECT_BINARY_DIR}/${array}.c)
  add_custom_command(OUTPUT ${out} VERBATIM DEPENDS ${files} ${FB_EMBED_SCRIPT}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DARRAY=${array} -DHEADER=${lib}_int.h "-DFILES=${joined}"
            -P ${FB_EMBED_SCRIPT})
  target_sources(fb_${lib} PRIVATE ${out})
  target_include_directories(fb_${lib} PRIVATE ${PROJECT_SOURCE_DIR}/${path})
endfunction()
