# Build a scheduler or an allocator as a shared object that quire loads by path:
#
#	quire_add_module(mine mine.c)	->  mine.so, for  quire sim --scheduler ./mine.so
#
# A module links against nothing: quire itself has all that it calls.
function(quire_add_module name)
	add_library(${name} MODULE ${ARGN})
	set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so")
	target_link_libraries(${name} PRIVATE quire::module)
endfunction()
