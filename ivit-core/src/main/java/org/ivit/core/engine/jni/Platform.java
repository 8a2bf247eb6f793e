package org.ivit.core.engine.jni;

import java.util.Locale;

/**
 * An operating system and a kind of processor, as the build of the native kernels names them.
 *
 * @param os {@code linux}, {@code windows}, {@code darwin} or another
 * @param processor {@code x86_64}, {@code aarch64} or another
 */
record Platform(String os, String processor) {
  private static final String WINDOWS = "windows";

  /** Returns the platform of this process. */
  static Platform here() {
    return of(System.getProperty("os.name"), System.getProperty("os.arch"));
  }

  /**
   * @param name as in the system property {@code os.name}
   * @param arch as in the system property {@code os.arch}
   */
  static Platform of(String name, String arch) {
    String os = name.toLowerCase(Locale.ROOT);
    String processor = arch.toLowerCase(Locale.ROOT);
    return new Platform(
        os.startsWith("mac") ? "darwin" : os.startsWith(WINDOWS) ? WINDOWS : os,
        switch (processor) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> processor;
        });
  }

  /** Whether a build makes libraries for it: there, or on Linux for Windows on x86-64. */
  boolean isBuilt() {
    return !os.equals(WINDOWS) || processor.equals("x86_64");
  }

  /** How to come by a library for it, or null where no build makes one. */
  String howToBuild() {
    if (!isBuilt()) {
      return null;
    }
    return os.equals(WINDOWS)
        ? "a build on Linux with x86_64-w64-mingw32-gcc has them (mvn package)"
        : "a build on this machine with a C compiler has them (mvn package)";
  }

  /** Where a jar has a library. */
  String resource(String library) {
    return folder() + library + (os.equals(WINDOWS) ? ".dll" : ".so");
  }

  /** Where a jar says why it has none. */
  String note(String library) {
    return folder() + library + ".skipped";
  }

  private String folder() {
    return "/native/" + this + "/";
  }

  @Override
  public String toString() {
    return os + "-" + processor;
  }
}
