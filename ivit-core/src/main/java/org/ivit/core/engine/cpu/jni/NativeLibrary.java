package org.ivit.core.engine.cpu.jni;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.ivit.core.InputException;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.Digests;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the native kernels out of the jar. The library is copied once to a cache of the user's,
 * under its digest: {@code ivit} in the folder of the property {@value #CACHE}, of {@code
 * XDG_CACHE_HOME} or in {@code ~/.cache}; where none can be written, to a temporary folder. A copy
 * whose digest is another one is replaced.
 */
public final class NativeLibrary {
  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);

  /** The system property that names the folder of the cache. */
  public static final String CACHE = "ivit.cache";

  private static final class Loaded {
    static final String REASON = load();
  }

  private NativeLibrary() {}

  /**
   * Says why kernels do not run here, loading the library at the first call.
   *
   * @param kernels {@code amx}, {@code vnni}, {@code avx2} or {@code c}
   * @return the reason, or null where they run
   */
  public static String unavailable(String kernels) {
    return Loaded.REASON != null ? Loaded.REASON : NativeKernels.unavailable(kernels);
  }

  /** Loads the library and returns null, or else the reason why it cannot be. */
  private static String load() {
    String resource = resource();
    try {
      String digest = digest(resource);
      if (digest == null) {
        return "no native kernels for " + platform() + " in this jar";
      }
      System.load(copy(resource, digest).toString());
      return null;
    } catch (IOException | UncheckedIOException | InputException | UnsatisfiedLinkError e) {
      return "native kernels do not load: " + e.getMessage();
    }
  }

  /** Where the jar has the library for this platform. */
  static String resource() {
    return "/native/" + platform() + "/libivit.so";
  }

  /** Operating system and architecture, as the build names them. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "darwin" : os) + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  /** Returns the SHA-256 that the build wrote down, or null where there is no library. */
  static String digest(String resource) throws IOException {
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource + ".sha256")) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    }
  }

  /** Returns a file with that digest. */
  static Path copy(String resource, String digest) throws IOException {
    Path cached = cache().resolve("libivit-" + digest.substring(0, 16) + ".so");
    try {
      if (cached.isAbsolute()) {
        return verified(resource, digest, cached);
      }
    } catch (UncheckedIOException | InputException e) {
      LOG.debug("no copy of the native kernels in {}", cached, e);
    }
    return temporary(resource, digest);
  }

  private static Path temporary(String resource, String digest) throws IOException {
    Path folder = Files.createTempDirectory("ivit-native");
    Path copy = folder.resolve("libivit.so");
    folder.toFile().deleteOnExit();
    copy.toFile().deleteOnExit();
    return verified(resource, digest, copy);
  }

  private static Path verified(String resource, String digest, Path file) throws IOException {
    if (!Files.isRegularFile(file) || !Digests.file(file).equals(digest)) {
      try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
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

  /** Relative where the system knows no home, which is then not used. */
  private static Path cache() {
    String property = System.getProperty(CACHE);
    if (property != null && !property.isBlank()) {
      return Path.of(property.strip()).toAbsolutePath();
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    return xdg != null && !xdg.isBlank()
        ? Path.of(xdg, "ivit")
        : Path.of(System.getProperty("user.home"), ".cache", "ivit");
  }
}
