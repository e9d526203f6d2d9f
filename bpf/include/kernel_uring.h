/* SPDX-License-Identifier: GPL-2.0-only */
/* As kernel.h: what our programs touch of io_uring. */
#pragma once

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct filename {
	const char *name;
};
struct io_cqe {
	__u64 user_data;
	int fd; /* until the request is done */
};
struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
};
struct io_uring_task {
	struct task_struct *task;
};
struct io_rsrc_node {
	unsigned long file_ptr;
};
struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};
struct io_file_table {
	struct io_rsrc_data data;
};
struct io_ring_ctx {
	struct io_file_table file_table;
};
struct io_fixed_file {
	unsigned long file_ptr;
};
struct io_file_table___v612 { /* up to 6.12 */
	struct io_fixed_file *files;
};
struct io_ring_ctx___v612 {
	struct io_file_table___v612 file_table;
	unsigned int nr_user_files;
};
struct io_kiocb {
	struct file *file;
	__u8 opcode;
	__u32 flags; /* the low half since 6.9 */
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	struct io_uring_task *tctx;
	void *async_data;
};
struct io_kiocb___v612 { /* up to 6.12 */
	struct task_struct *task;
};
struct io_open {
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
};
struct io_unlink {
	int dfd;
	int flags;
	struct filename *filename;
};
struct io_mkdir {
	int dfd;
	__u16 mode;
	struct filename *filename;
};
struct io_rename {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};
struct io_link { /* symbolic links too */
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};
/* 7.0: the pointer moved one level down. */
struct delayed_filename {
	struct filename *__incomplete_filename;
};
struct io_open___v7 {
	struct delayed_filename filename;
};
struct io_unlink___v7 {
	struct delayed_filename filename;
};
struct io_mkdir___v7 {
	struct delayed_filename filename;
};
struct io_rename___v7 {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};
struct io_link___v7 {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};
struct io_connect {
	void *addr;
	int addr_len;
};
struct io_accept {
	__u32 file_slot;
	int iou_flags;
};
struct io_listen {
	int backlog;
};
struct io_socket {
	int domain;
	int type;
	int protocol;
	int flags;
};
struct io_ftrunc { /* 6.9 */
	long long len;
};
struct io_fixed_install { /* 6.8 */
	unsigned int o_flags;
};
struct io_splice { /* file_out is the request's */
	int splice_fd_in;
	unsigned int flags;
};
struct io_sr_msg {
	void *umsg;
	unsigned int msg_flags;
	__u16 flags;
};
struct io_async_msghdr {
	int namelen;
	unsigned long controllen;
};

#pragma clang attribute pop
