/* SPDX-License-Identifier: MIT */
/* message.h - messages of one part, with or without fds in them. */
#ifndef TESTS_MESSAGE_H
#define TESTS_MESSAGE_H

#include "observe.h"

enum { MESSAGE_FDS = 4 };

struct message {
	struct msghdr hdr; /* first: a struct message * is a struct msghdr * */
	struct iovec part;
	struct address peer;
	char text[32];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MESSAGE_FDS * sizeof(int)) + 32];
};

/* A message of len bytes of text, for sending to (or NULL). */
static inline void message_out(struct message *m, const char *text, const struct address *to)
{
	memset(m, 0, sizeof *m);
	snprintf(m->text, sizeof m->text, "%s", text);
	m->part = (struct iovec){m->text, strlen(m->text)};
	m->hdr.msg_iov = &m->part;
	m->hdr.msg_iovlen = 1;
	if (to) {
		m->peer = *to;
		m->hdr.msg_name = &m->peer.any;
		m->hdr.msg_namelen = m->peer.len;
	}
}

/* An empty message with room for everything. */
static inline void message_in(struct message *m)
{
	memset(m, 0, sizeof *m);
	m->part = (struct iovec){m->text, sizeof m->text - 1};
	m->hdr.msg_iov = &m->part;
	m->hdr.msg_iovlen = 1;
	m->hdr.msg_name = &m->peer.any;
	m->hdr.msg_namelen = sizeof m->peer.room;
	m->hdr.msg_control = m->control;
	m->hdr.msg_controllen = sizeof m->control;
}

/* Put fds into a message that is to go out. */
static inline void message_carry(struct message *m, const int *fds, int n)
{
	struct cmsghdr *c;

	m->hdr.msg_control = m->control;
	m->hdr.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
	c = CMSG_FIRSTHDR(&m->hdr);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
}

/* The fds in a received message. Returns how many, at most MESSAGE_FDS. */
static inline int message_fds(struct message *m, int *fds)
{
	struct cmsghdr *c;
	size_t n = 0;

	for (c = CMSG_FIRSTHDR(&m->hdr); c; c = CMSG_NXTHDR(&m->hdr, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return (int)n;
}

static inline void message_show(struct message *m)
{
	int fds[MESSAGE_FDS + 8], n = message_fds(m, fds), i;

	printf("\"%s\", flags %x, name %d bytes, control %d bytes, fds:", m->text,
	       (unsigned)m->hdr.msg_flags, (int)m->hdr.msg_namelen, (int)m->hdr.msg_controllen);
	for (i = 0; i < n; i++)
		printf(" %d", fds[i]);
	printf("\n");
}

#endif
