# QUIRE_CUDA=EMULATED: the cuda executor in quire_core, with the kernels compiled as C++
# against emulator.h.  Slow, on any machine.
set(emulator ${PROJECT_SOURCE_DIR}/tests/kernels/emulator)
file(GLOB emulator_sources CONFIGURE_DEPENDS ${emulator}/*.cpp)
set(emulated_kernels ${QUIRE_CUDA_SOURCES})
list(FILTER emulated_kernels INCLUDE REGEX "\\.cu$")
set_source_files_properties(${emulated_kernels} PROPERTIES
	LANGUAGE CXX
	COMPILE_DEFINITIONS QUIRE_KERNELS_PTX_CUH
	COMPILE_OPTIONS "-include;${emulator}/emulator.h;-Wno-unknown-pragmas;-fno-strict-aliasing"
	OBJECT_DEPENDS ${emulator}/emulator.h)
set_source_files_properties(${emulator}/cublas_lt.cpp PROPERTIES COMPILE_OPTIONS -O3)

target_sources(quire_core PRIVATE ${QUIRE_CUDA_SOURCES} ${emulator_sources})
target_compile_definitions(quire_core PUBLIC QUIRE_HAVE_CUDA)
target_compile_definitions(quire_core PRIVATE CUDA_GRAPHS_MAX=3u) # so that one goes for another
target_include_directories(quire_core PRIVATE ${emulator})
target_compile_options(quire_core PRIVATE
	$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off;-Wall;-Wextra>)
set_target_properties(quire_core PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
