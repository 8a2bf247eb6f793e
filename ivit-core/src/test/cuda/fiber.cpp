#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>

namespace emulation {

static const size_t STACK_BYTES = 96 * 1024;

/* The fiber that resume() begins. Launches do not overlap. */
static Fiber *beginning;

Fiber::Fiber() : stack_(STACK_BYTES) {}

void Fiber::enter() {
  Fiber *self = beginning;
  self->body_();
  self->ended_ = true;
  self->yield();
  abort();
}

#if defined(__x86_64__)

/* swapcontext asks the kernel for the signal mask each time; this does not. */
extern "C" void ivit_switch(void **save, void *load);
__asm__(
    ".text\n"
    ".globl ivit_switch\n"
    ".hidden ivit_switch\n"
    ".type ivit_switch,@function\n"
    "ivit_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size ivit_switch,.-ivit_switch\n");

void Fiber::start(void (*body)()) {
  body_ = body;
  ended_ = false;
  /* As if a call from nowhere had come to enter(): a zero return address, then six registers. */
  uintptr_t top = ((uintptr_t)stack_.data() + stack_.size()) & ~(uintptr_t)15;
  void **sp = (void **)top;
  *--sp = nullptr;
  *--sp = (void *)&Fiber::enter;
  for (int i = 0; i < 6; i++) {
    *--sp = nullptr;
  }
  own_ = sp;
}

void Fiber::resume() {
  beginning = this;
  ivit_switch(&caller_, own_);
}

void Fiber::yield() { ivit_switch(&own_, caller_); }

#else

void Fiber::start(void (*body)()) {
  body_ = body;
  ended_ = false;
  getcontext(&own_);
  own_.uc_stack.ss_sp = stack_.data();
  own_.uc_stack.ss_size = stack_.size();
  own_.uc_link = nullptr;
  makecontext(&own_, &Fiber::enter, 0);
}

void Fiber::resume() {
  beginning = this;
  swapcontext(&caller_, &own_);
}

void Fiber::yield() { swapcontext(&own_, &caller_); }

#endif

}  // namespace emulation
