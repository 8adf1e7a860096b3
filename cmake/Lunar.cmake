# Compile options of all targets, and functions that make a library, tests and fuzzers of a folder.

set(LUNAR_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror)

# Flags shared by all of our targets.
function(lunar_compile_options target)
  target_compile_options(${target} PRIVATE ${LUNAR_WARNINGS})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 reports false positives of these three inside libstdc++ and coroutine frames.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow)
  endif()
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  if(LUNAR_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${LUNAR_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${LUNAR_SANITIZE})
    if(LUNAR_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize-recover=undefined)
    endif()
  endif()
endfunction()

# Compiles up to LUNAR_BATCH files of a target as one, if their names allow it. Computed again in each
# run of CMake.
function(lunar_batches target)
  if(NOT LUNAR_BATCH GREATER 1)
    return()
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}.batches)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/cmake/batches.py ${LUNAR_BATCH} ${ARGN}
    OUTPUT_FILE ${list} COMMAND_ERROR_IS_FATAL ANY)
  file(STRINGS ${list} rows)
  set(number 0)
  foreach(row IN LISTS rows)
    math(EXPR number "${number} + 1")
    string(REPLACE " " ";" files "${row}")
    set_source_files_properties(${files} PROPERTIES UNITY_GROUP batch_${number})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ treats the files of a batch as headers, and warns about types without linkage in them. Real
    # headers are checked for that in the debug tree, which has no batches.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# In trees with batches, clang precompiles the headers of the test libraries once for all test programs.
# (g++ gains nothing from that.)
function(lunar_precompile_for_tests target)
  if(NOT LUNAR_BATCH GREATER 1 OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  if(NOT TARGET lunar_test_headers)
    set(unit ${PROJECT_BINARY_DIR}/test_headers.cpp)
    file(CONFIGURE OUTPUT ${unit} CONTENT "" @ONLY)
    add_library(lunar_test_headers OBJECT ${unit})
    lunar_compile_options(lunar_test_headers)
    target_compile_options(lunar_test_headers PRIVATE -O0 "SHELL:-Xclang -fno-pch-timestamp") # as ccache asks
    target_link_libraries(lunar_test_headers PRIVATE lunar_base GTest::gtest_main rapidcheck)
    target_precompile_headers(lunar_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h> <rapidcheck.h>
      <rapidcheck/gtest.h> <fmt/format.h> <algorithm> <chrono> <expected> <functional> <map> <string> <vector>)
  endif()
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${target} REUSE_FROM lunar_test_headers)
endfunction()

function(lunar_executable target)
  lunar_compile_options(${target})
endfunction()

# Makes NAME_test from these files, if there are any (tests/unit runs it).
function(lunar_test_program name library)
  set(tests ${ARGN})
  if(NOT LUNAR_TESTS OR NOT tests)
    return()
  endif()
  add_executable(${name}_test ${tests})
  lunar_executable(${name}_test)
  lunar_batches(${name}_test ${tests})
  target_link_libraries(${name}_test PRIVATE ${library} GTest::gtest_main rapidcheck)
  add_test(NAME unit.${name} COMMAND ${name}_test)
  if(LUNAR_SANITIZE) # what is under test is optimised; cases would take longer to compile than to run
    target_compile_options(${name}_test PRIVATE -O0)
    lunar_precompile_for_tests(${name}_test)
  else()
    target_sources(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/one_thread.cpp)
  endif()
endfunction()

# Makes a libFuzzer binary from each file, if LUNAR_FUZZ is on.
function(lunar_fuzzers library)
  if(NOT LUNAR_FUZZ)
    return()
  endif()
  foreach(fuzzer ${ARGN})
    get_filename_component(fuzzer_name ${fuzzer} NAME_WE)
    add_executable(${fuzzer_name} ${fuzzer})
    lunar_executable(${fuzzer_name})
    target_link_libraries(${fuzzer_name} PRIVATE ${library})
    target_link_options(${fuzzer_name} PRIVATE -fsanitize=fuzzer)
  endforeach()
endfunction()

# lunar_library(NAME FOLDER dir [TESTS program] LINK public-libs... PRIVATE private-libs...)
# Makes lunar_NAME from the folder's .cpp files, NAME_test from its *_test.cpp, and a libFuzzer binary
# from each *_fuzz.cpp. With TESTS, lunar_tests(program) makes the tests and fuzzers of several libraries.
function(lunar_library name)
  cmake_parse_arguments(ARG "" "FOLDER;TESTS" "SUBFOLDERS;LINK;PRIVATE" ${ARGN})
  set(patterns ${ARG_FOLDER} ${ARG_SUBFOLDERS})
  list(TRANSFORM patterns PREPEND ${PROJECT_SOURCE_DIR}/)
  list(TRANSFORM patterns APPEND "/*.cpp")
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(LUNAR_SANITIZE STREQUAL "thread") # a case that starts no thread has no race
    list(FILTER tests INCLUDE REGEX "_threads_test\\.cpp$")
  endif()
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cpp$")

  if(sources)
    add_library(lunar_${name} STATIC ${sources})
    lunar_compile_options(lunar_${name})
    target_link_libraries(lunar_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
    lunar_batches(lunar_${name} ${sources})
    if(LUNAR_FUZZ) # the fuzzer sees which way the code under test went; tests need not tell
      target_compile_options(lunar_${name} PRIVATE -fsanitize=fuzzer-no-link)
      target_link_options(lunar_${name} PUBLIC -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(lunar_${name} INTERFACE)
    target_include_directories(lunar_${name} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
    target_link_libraries(lunar_${name} INTERFACE ${ARG_LINK})
  endif()

  set_property(GLOBAL APPEND PROPERTY LUNAR_LIBRARIES lunar_${name})

  if(ARG_TESTS)
    set_property(GLOBAL APPEND PROPERTY LUNAR_TESTS_${ARG_TESTS} ${tests})
    set_property(GLOBAL APPEND PROPERTY LUNAR_FUZZERS_${ARG_TESTS} ${fuzzers})
  else()
    lunar_test_program(${name} lunar_${name} ${tests})
    lunar_fuzzers(lunar_${name} ${fuzzers})
  endif()
endfunction()

# lunar_tests(NAME FOLDER dir LINK library): makes NAME_test from the tests of all libraries with
# TESTS NAME, and their fuzzers. The folder contains their shared code.
function(lunar_tests name)
  cmake_parse_arguments(ARG "" "FOLDER" "LINK" ${ARGN})
  get_property(tests GLOBAL PROPERTY LUNAR_TESTS_${name})
  lunar_test_program(${name} ${ARG_LINK} ${tests})
  get_property(fuzzers GLOBAL PROPERTY LUNAR_FUZZERS_${name})
  lunar_fuzzers(${ARG_LINK} ${fuzzers})
endfunction()
