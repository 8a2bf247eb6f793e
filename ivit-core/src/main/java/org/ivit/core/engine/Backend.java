package org.ivit.core.engine;

/**
 * What an engine or a float model runs on, and why.
 *
 * @param kernels the set of kernels: a name of {@code kernel_sets} such as {@code avx2} for native
 *     ones, {@code java}, {@code reference} or {@code cuda}; {@code float} for a network in
 *     floating point
 * @param why why these were chosen, and what kept faster ones away
 * @param processor model name of the processor or GPU that runs them
 * @param threads how many; 1 where the processor is a GPU
 */
public record Backend(String kernels, String why, String processor, int threads) {
  /** Returns kernels and reason in one line for people. */
  public String line() {
    String what =
        switch (kernels) {
          case "java" -> "portable Java";
          case "reference", "cuda", "float" -> kernels;
          default -> "native " + kernels;
        };
    return what + " (" + why + ")";
  }
}
