# The parts that a machine may lack: found, or left out with a reason.
#
# An option is AUTO (use it if it is there), ON (fail if it is not) or OFF.
# Every left-out part is told once, by quire_say_left_out(), as
#
#	-- left out: PART (REASON)
#
# which ./bootstrap repeats to its user.

set_property(GLOBAL PROPERTY quire_left_out "")

function(quire_left_out part reason)
	set_property(GLOBAL APPEND PROPERTY quire_left_out "${part} (${reason})")
endfunction()

function(quire_say_left_out)
	get_property(parts GLOBAL PROPERTY quire_left_out)
	foreach(part IN LISTS parts)
		message(STATUS "left out: ${part}")
	endforeach()
endfunction()

# Is @option off?  Sets @out; anything but AUTO, ON and OFF is an error.
function(quire_is_off option out)
	if(NOT "${${option}}" MATCHES "^(AUTO|ON|OFF)$")
		message(FATAL_ERROR "${option} is ${${option}}; it may be AUTO, ON or OFF")
	endif()
	if("${${option}}" STREQUAL "OFF")
		set(${out} TRUE PARENT_SCOPE)
	else()
		set(${out} FALSE PARENT_SCOPE)
	endif()
endfunction()

# Sets QUIRE_HAVE_CUDA and QUIRE_CUDA_SOURCES, and enables the language.  With
# ON the toolkit is tried even where there is nothing to compile with it; EMULATED needs
# neither toolkit nor GPU.
macro(quire_find_cuda)
	set(QUIRE_HAVE_CUDA FALSE)
	file(GLOB QUIRE_CUDA_SOURCES CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
		kernels/*.cu kernels/*_plan.c)
	set(QUIRE_CUDA_EMULATED FALSE)
	if(QUIRE_CUDA STREQUAL "EMULATED")
		enable_language(CXX)
		set(QUIRE_CUDA_EMULATED TRUE)
		set(QUIRE_HAVE_CUDA TRUE)
		set(is_off TRUE)
	else()
		quire_is_off(QUIRE_CUDA is_off)
	endif()
	if(NOT is_off)
		find_program(QUIRE_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME /usr/local/cuda
			PATH_SUFFIXES bin DOC "The CUDA compiler")
		mark_as_advanced(QUIRE_NVCC)
	endif()
	if(QUIRE_CUDA_EMULATED)
		message(STATUS "CUDA is emulated: slow, and for tests alone")
	elseif(is_off)
		quire_left_out("CUDA kernels" "QUIRE_CUDA is OFF")
	elseif(NOT QUIRE_NVCC AND QUIRE_CUDA STREQUAL "ON")
		message(FATAL_ERROR "QUIRE_CUDA is ON, but nvcc was found neither in PATH nor in "
			"/usr/local/cuda/bin; install the CUDA toolkit, or say -DQUIRE_NVCC=PATH")
	elseif(NOT QUIRE_NVCC)
		quire_left_out("CUDA kernels" "no nvcc")
	elseif(NOT QUIRE_CUDA_SOURCES AND QUIRE_CUDA STREQUAL "AUTO")
		quire_left_out("CUDA kernels" "nvcc found, but there are none in the tree yet")
	else()
		# check_language() asks the environment; enable_language() does too.
		if(NOT DEFINED ENV{CUDACXX})
			set(ENV{CUDACXX} ${QUIRE_NVCC})
		endif()
		if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
			set(CMAKE_CUDA_ARCHITECTURES 80-real 89-real 90)
		endif()
		include(CheckLanguage)
		if(QUIRE_CUDA STREQUAL "AUTO")
			check_language(CUDA)
		endif()
		if(CMAKE_CUDA_COMPILER OR QUIRE_CUDA STREQUAL "ON")
			enable_language(CUDA)
			find_package(CUDAToolkit REQUIRED)
			message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION}: ${CMAKE_CUDA_COMPILER}")
			if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.5 AND QUIRE_CUDA STREQUAL "ON")
				message(FATAL_ERROR "QUIRE_CUDA is ON, but ${QUIRE_NVCC} is of CUDA "
					"${CMAKE_CUDA_COMPILER_VERSION}, and the kernels need 12.5")
			elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.5)
				quire_left_out("CUDA kernels" "CUDA ${CMAKE_CUDA_COMPILER_VERSION}, and they need 12.5")
			elseif(QUIRE_CUDA_SOURCES)
				set(QUIRE_HAVE_CUDA TRUE)
			else()
				quire_left_out("CUDA kernels"
					"CUDA ${CMAKE_CUDA_COMPILER_VERSION} works, but there are none in the tree yet")
			endif()
		else()
			quire_left_out("CUDA kernels" "${QUIRE_NVCC} does not work here")
		endif()
	endif()
endmacro()

# Sets QUIRE_HAVE_SDL and SDL2_INCLUDE_DIRS: headers alone, window.c loads the library.
macro(quire_find_sdl)
	set(QUIRE_HAVE_SDL FALSE)
	quire_is_off(QUIRE_SDL is_off)
	if(NOT is_off)
		pkg_check_modules(SDL2 QUIET sdl2)
	endif()
	if(is_off)
		quire_left_out("window" "QUIRE_SDL is OFF")
	elseif(NOT SDL2_FOUND AND QUIRE_SDL STREQUAL "ON")
		message(FATAL_ERROR "QUIRE_SDL is ON, but pkg-config does not know sdl2; "
			"install libsdl2-dev")
	elseif(NOT SDL2_FOUND)
		quire_left_out("window" "no SDL2")
	else()
		set(QUIRE_HAVE_SDL TRUE)
	endif()
endmacro()

# Sets QUIRE_HAVE_MPI and makes PkgConfig::MPI.
macro(quire_find_mpi)
	set(QUIRE_HAVE_MPI FALSE)
	quire_is_off(QUIRE_MPI is_off)
	if(NOT is_off)
		pkg_check_modules(MPI QUIET IMPORTED_TARGET ompi-c)
	endif()
	if(is_off)
		quire_left_out("sweeps under mpirun" "QUIRE_MPI is OFF")
	elseif(MPI_FOUND)
		set(QUIRE_HAVE_MPI TRUE)
	elseif(QUIRE_MPI STREQUAL "ON")
		message(FATAL_ERROR "QUIRE_MPI is ON, but pkg-config does not know ompi-c; "
			"install libopenmpi-dev and openmpi-bin")
	else()
		quire_left_out("sweeps under mpirun" "no Open MPI")
	endif()
endmacro()
