/* A function on a stack of its own that hands control back and forth with its caller. */
#ifndef IVIT_FIBER_H
#define IVIT_FIBER_H

#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulation {

class Fiber {
 public:
  Fiber();
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  /* Prepares a run of `body`, which must not throw. */
  void start(void (*body)());

  /* Runs it until it yields or ends. */
  void resume();

  /* From within: back to resume(). */
  void yield();

  bool ended() const { return ended_; }

 private:
  static void enter();

  std::vector<unsigned char> stack_;
  void (*body_)() = nullptr;
  bool ended_ = true;
#if defined(__x86_64__)
  void *own_ = nullptr;
  void *caller_ = nullptr;
#else
  ucontext_t own_;
  ucontext_t caller_;
#endif
};

}  // namespace emulation

#endif
