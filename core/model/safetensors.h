/*
 * safetensors.h - the files that weights come in, mapped and checked.
 *
 * A file (huggingface/safetensors) is
 *
 *	8 bytes		length N of the header, little-endian
 *	N bytes		JSON: {"NAME": {"dtype", "shape", "data_offsets": [begin, end]}, ..},
 *			and perhaps "__metadata__": {STRING: STRING, ..}
 *	the rest	the tensors' bytes; offsets count from here
 *
 * It is checked whole when it is opened, and nothing is allocated before its size is
 * checked against the file: a header has at most 100 MB and lies within the file, names
 * have at most 512 bytes, ranks are at most 8, types are those below, a shape's size is
 * that of its offsets, tensors follow each other without a hole or an overlap up to the
 * end of the file, and neither a name nor a field comes twice or is unknown.
 *
 * A large model is several such files (shards) in one directory and an index,
 * {"metadata": .., "weight_map": {"NAME": "FILE", ..}}, which must tell the truth: every
 * tensor is in the file it names, and no other tensor is there.
 *
 * Files are mapped for reading.  One that somebody shortens meanwhile ends the process
 * by SIGBUS, as any mapped file does.
 */
#ifndef QUIRE_SAFETENSORS_H
#define QUIRE_SAFETENSORS_H

#include <quire/quire.h>

#include <stddef.h>

#define QUIRE_TENSOR_RANK_MAX	  8
#define QUIRE_TENSOR_NAME_MAX	  512	     /* bytes, without the ending 0 */
#define QUIRE_TENSOR_HEADER_MAX	  100000000  /* bytes */
#define QUIRE_TENSORS_MAX	  (1u << 20) /* of a model; the largest published have 10^5 */
#define QUIRE_TENSOR_FILES_MAX	  1024	     /* shards */
#define QUIRE_TENSOR_METADATA_MAX 256	     /* entries */

/* Every type that the format has: its name and the bits of an element. */
#define QUIRE_TENSOR_TYPES(X)                                                                      \
	X(BOOL, 8)                                                                                 \
	X(F4, 4)                                                                                   \
	X(F6_E2M3, 6)                                                                              \
	X(F6_E3M2, 6)                                                                              \
	X(U8, 8)                                                                                   \
	X(I8, 8)                                                                                   \
	X(F8_E5M2, 8)                                                                              \
	X(F8_E4M3, 8)                                                                              \
	X(F8_E8M0, 8)                                                                              \
	X(F8_E4M3FNUZ, 8)                                                                          \
	X(F8_E5M2FNUZ, 8)                                                                          \
	X(I16, 16)                                                                                 \
	X(U16, 16)                                                                                 \
	X(F16, 16)                                                                                 \
	X(BF16, 16)                                                                                \
	X(I32, 32)                                                                                 \
	X(U32, 32)                                                                                 \
	X(F32, 32)                                                                                 \
	X(C64, 64)                                                                                 \
	X(F64, 64)                                                                                 \
	X(I64, 64)                                                                                 \
	X(U64, 64)

#define QUIRE_TENSOR_TYPE_ENUM(name_, bits_) QUIRE_TENSOR_##name_,
enum quire_tensor_type { QUIRE_TENSOR_TYPES(QUIRE_TENSOR_TYPE_ENUM) QUIRE_TENSOR_TYPES_COUNT };

const char *quire_tensor_type_name(enum quire_tensor_type type);
uint32_t quire_tensor_type_bits(enum quire_tensor_type type);

struct quire_tensor {
	const char *name; /* UTF-8 without control characters */
	enum quire_tensor_type type;
	uint32_t rank;			       /* 0: one number */
	uint64_t shape[QUIRE_TENSOR_RANK_MAX]; /* [rank] elements; may be 0 */
	const void *data;		       /* [bytes] in the mapped file; unaligned */
	uint64_t bytes;
	uint32_t file; /* of files[] */
};

struct quire_tensor_file {
	char *path;	 /* owned */
	char *names;	 /* of its tensors; owned */
	const void *map; /* [map_bytes] the whole file */
	size_t map_bytes;
	uint64_t header_bytes;
};

struct quire_tensors {
	struct quire_tensor *list; /* [count] by name; owned */
	uint32_t count;
	uint64_t bytes;			 /* of all tensors */
	struct quire_tensor_file *files; /* [files_count] owned */
	uint32_t files_count;
};

/*
 * Open @path: one file; or a directory with model.safetensors or, without that,
 * model.safetensors.index.json and its shards.
 * Return: 0, and *tensors is to be closed; -EINVAL a bad file; -ENOENT, -errno; see
 * quire_failure().
 */
int quire_tensors_open(struct quire_tensors **tensors, const char *path);
void quire_tensors_close(struct quire_tensors *tensors);

/* The tensor called @name; NULL: there is none.  O(log count). */
const struct quire_tensor *quire_tensors_find(const struct quire_tensors *tensors,
					      const char *name);

/* Elements of @tensor: the product of its shape. */
uint64_t quire_tensor_elements(const struct quire_tensor *tensor);

#endif /* QUIRE_SAFETENSORS_H */
