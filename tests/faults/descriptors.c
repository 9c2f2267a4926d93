/*
 * The program's descriptors are those that it has untraced, before and after a stack that only
 * libunwind can walk: the frame of `odd` is found by rbx.
 */
#include "tests/faults/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <dlfcn.h>

void *odd(size_t size);
__asm__(".text\n"
        ".globl odd\n"
        ".type odd, @function\n"
        "odd:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset rbx, -16\n"
        "mov %rsp, %rbx\n"
        ".cfi_def_cfa_register rbx\n"
        "sub $64, %rsp\n"
        "call malloc@plt\n"
        "mov %rbx, %rsp\n"
        ".cfi_def_cfa_register rsp\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size odd, .-odd\n");

int main(int argc, char **argv)
{
    FAULT_TRUE(errno == 0);
    FAULT_TRUE(dlerror() == NULL);
    for (int fd = 3; fd < 100; fd++)
        FAULT_TRUE(fcntl(fd, F_GETFD) == -1);
    int file = open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0600);
    FAULT_EQUAL(file, 3);
    FAULT_EQUAL(dup2(file, 4), 4);
    errno = 7;
    for (int i = 0; i < 100; i++)
        free(fault_opaque(odd(100)));
    FAULT_EQUAL(errno, 7);
    char byte;
    FAULT_EQUAL(pread(file, &byte, 1, 0), 0);
    return 0;
}
