package org.ivit.core.engine.jni;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.Digests;
import org.ivit.core.io.UserCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the native kernels out of the jar. The library is copied once to a cache of the user's,
 * under its digest ({@link UserCache}); where that cannot be written, to a temporary folder. A copy
 * whose digest is another one is replaced.
 */
public final class NativeLibrary {
  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);

  /** The system property that names the folder of the cache. */
  public static final String CACHE = UserCache.PROPERTY;

  /** Name of the library of this jar. */
  static final String NAME = "libivit";

  private static final class Loaded {
    static final String REASON = load();
  }

  private NativeLibrary() {}

  /**
   * Says why kernels do not run here, loading the library at the first call.
   *
   * @param kernels one of {@link KernelSets#all}
   * @return the reason, or null where they run
   */
  public static String unavailable(String kernels) {
    return Loaded.REASON != null ? Loaded.REASON : NativeKernels.unavailable(kernels);
  }

  /** Returns why the library cannot be loaded, or null where it is. */
  public static String notLoaded() {
    return Loaded.REASON;
  }

  /** Returns whether a build on this platform makes kernels that are faster than portable Java. */
  public static boolean isExpected() {
    return !KernelSets.fast().isEmpty() && !platform().startsWith("windows");
  }

  /** Loads the library and returns null, or else the reason why it cannot be. */
  private static String load() {
    return load(NativeLibrary.class, NAME, System::load);
  }

  /**
   * Loads a library of native kernels.
   *
   * @param jar a class of the jar that has it, as {@code /native/OS-ARCH/NAME.so}
   * @param name such as {@code libivit}
   * @param load calls {@code System.load} in a class of the loader that is to have the library
   * @return null, or else the reason why it cannot be loaded
   */
  public static String load(Class<?> jar, String name, Consumer<String> load) {
    String resource = resource(name);
    try {
      String digest = digest(jar, resource);
      if (digest == null) {
        return "no native kernels for " + platform() + " in this jar" + whyNotBuilt(jar, name);
      }
      load.accept(copy(jar, name, resource, digest).toString());
      return null;
    } catch (IOException | UncheckedIOException | InputException | UnsatisfiedLinkError e) {
      return "native kernels do not load: " + e.getMessage();
    }
  }

  /** What the build wrote down where it could not make the library. */
  private static String whyNotBuilt(Class<?> jar, String name) throws IOException {
    try (InputStream in = jar.getResourceAsStream("/native/" + name + ".skipped")) {
      return in == null
          ? ""
          : ": when it was built, " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  /** Where a jar has a library for this platform. */
  static String resource(String name) {
    return "/native/" + platform() + "/" + name + ".so";
  }

  /** Operating system and architecture, as the build names them. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "darwin" : os) + "-" + processor();
  }

  /** The kind of processor, as the build names it: {@code x86_64}, {@code aarch64}. */
  static String processor() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return arch.equals("amd64") ? "x86_64" : arch;
  }

  /** Returns the SHA-256 that the build wrote down, or null where there is no library. */
  static String digest(Class<?> jar, String resource) throws IOException {
    try (InputStream in = jar.getResourceAsStream(resource + ".sha256")) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    }
  }

  /** Returns a file with that digest. */
  static Path copy(Class<?> jar, String name, String resource, String digest) throws IOException {
    Path cached = UserCache.folder().resolve(name + "-" + digest.substring(0, 16) + ".so");
    try {
      if (cached.isAbsolute()) {
        return verified(jar, resource, digest, cached);
      }
    } catch (UncheckedIOException | InputException e) {
      LOG.debug("no copy of the native kernels in {}", cached, e);
    }
    return temporary(jar, name, resource, digest);
  }

  private static Path temporary(Class<?> jar, String name, String resource, String digest)
      throws IOException {
    Path folder = Files.createTempDirectory("ivit-native");
    Path copy = folder.resolve(name + ".so");
    folder.toFile().deleteOnExit();
    copy.toFile().deleteOnExit();
    return verified(jar, resource, digest, copy);
  }

  private static Path verified(Class<?> jar, String resource, String digest, Path file)
      throws IOException {
    if (!Files.isRegularFile(file) || !Digests.file(file).equals(digest)) {
      try (InputStream in = jar.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IOException(resource + " is not in this jar");
        }
        AtomicFiles.write(file, in::transferTo);
      }
      String found = Digests.file(file);
      if (!found.equals(digest)) {
        throw new IOException(
            resource + ": found SHA-256 " + found + ", expected " + digest + ": a damaged jar");
      }
    }
    return file;
  }
}
