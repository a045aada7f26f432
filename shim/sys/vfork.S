/* SPDX-License-Identifier: MIT */
/* vfork.S - vfork returns twice on one stack, so no C function can stand around
 * it: the child overwrites the frame, the return address too. The address is
 * kept in a register, which the kernel saves for each of the two. */
#if defined(__x86_64__)
	.text
	.globl	vfork, __vfork
	.type	vfork, @function
	.type	__vfork, @function
vfork:
__vfork:
	.cfi_startproc
	endbr64
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdi
	movl	$58, %eax		/* SYS_vfork */
	syscall
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
	movq	%rax, %rdi
	testq	%rax, %rax
	jz	vfork_in_child
	jmp	vfork_in_parent
	.cfi_endproc
	.size	vfork, .-vfork
	.size	__vfork, .-__vfork
	.hidden	vfork_in_child
	.hidden	vfork_in_parent
#elif defined(__aarch64__)
	.text
	.globl	vfork, __vfork
	.type	vfork, %function
	.type	__vfork, %function
vfork:
__vfork:
	mov	x9, x30
	mov	x8, #220		/* SYS_clone */
	mov	x0, #0x4111		/* CLONE_VFORK | CLONE_VM | SIGCHLD */
	mov	x1, #0
	svc	#0
	mov	x30, x9
	cbz	x0, vfork_in_child
	b	vfork_in_parent
	.size	vfork, .-vfork
	.size	__vfork, .-__vfork
	.hidden	vfork_in_child
	.hidden	vfork_in_parent
#endif
	.section .note.GNU-stack,"",%progbits
