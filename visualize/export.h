/*
 * export.h - pictures and films without a window.
 *
 * A film has its own clock: frame k shows the view at from + k x speed / fps, whatever the
 * machine does meanwhile, so the same command gives the same frames.
 */
#ifndef QUIRE_EXPORT_H
#define QUIRE_EXPORT_H

#include "draw.h"

/* One frame, as the ending of @path says: .png, .svg, .pdf.
 * Return: 0; -EINVAL another ending; -EIO; with a sentence. */
int quire_export_still(struct quire_draw *draw, const struct quire_view *view, const char *path);

struct quire_film {
	const char *path;	    /* .mp4, .gif: through ffmpeg; "%04d.png": files */
	uint64_t from_ns, until_ns; /* of the first story; until UINT64_MAX: to its end */
	double fps;
	double speed; /* story seconds a second of film */
	bool (*progress)(void *arg, uint64_t frame, uint64_t frames); /* false: stop; NULL */
	void *arg;
};

/* Plays the view.  Return: 0; -ENOENT no ffmpeg; -EIO; -EINVAL; -ECANCELED; with a sentence. */
int quire_export_film(struct quire_draw *draw, struct quire_view *view,
		      const struct quire_film *film);

#endif /* QUIRE_EXPORT_H */
