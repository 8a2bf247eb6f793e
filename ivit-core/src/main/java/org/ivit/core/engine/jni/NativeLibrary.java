package org.ivit.core.engine.jni;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.Digests;
import org.ivit.core.io.FileFailures;
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

  private static final String NOT_LOADED = "native kernels do not load: ";

  private static final String COPY_ELSEWHERE = "-Divit.cache=DIR names another folder for its copy";

  /** Copies of the library that no process can still be about to load. */
  private static final Duration LEFT_OVER = Duration.ofHours(1);

  private static final String TEMPORARY = "ivit-native";

  private static final class Loaded {
    static final NotLoaded MISSING = load(NativeLibrary.class, NAME, System::load);
  }

  private NativeLibrary() {}

  /**
   * Says why kernels do not run here, loading the library at the first call.
   *
   * @param kernels one of {@link KernelSets#all}
   * @return the reason, or null where they run
   */
  public static String unavailable(String kernels) {
    return Loaded.MISSING == null ? NativeKernels.unavailable(kernels) : Loaded.MISSING.reason();
  }

  /** Returns why the library cannot be loaded, or null where it is. */
  public static String notLoaded() {
    return Loaded.MISSING == null ? null : Loaded.MISSING.reason();
  }

  /** Returns the same with what to do about it. */
  public static NotLoaded missing() {
    return Loaded.MISSING;
  }

  /** Returns whether a build can make kernels for this platform that beat portable Java. */
  public static boolean isExpected() {
    return !KernelSets.fast().isEmpty() && Platform.here().isBuilt();
  }

  /**
   * Loads a library of native kernels.
   *
   * @param jar a class of the jar that has it, as {@code /native/OS-ARCH/NAME.so}, or {@code .dll}
   * @param name such as {@code libivit}
   * @param load calls {@code System.load} in a class of the loader that is to have the library
   * @return null, or else why it cannot be loaded
   */
  public static NotLoaded load(Class<?> jar, String name, Consumer<String> load) {
    return load(Platform.here(), jar, name, load);
  }

  /** The same on a platform. */
  static NotLoaded load(Platform platform, Class<?> jar, String name, Consumer<String> load) {
    String resource = platform.resource(name);
    try {
      String digest = digest(jar, resource);
      if (digest == null) {
        return new NotLoaded(
            "no native kernels for " + platform + " in this jar" + whyNotBuilt(platform, jar, name),
            platform.howToBuild());
      }
      load.accept(copy(jar, resource, digest).toString());
      return null;
    } catch (IOException e) {
      return new NotLoaded(NOT_LOADED + e.getMessage(), null);
    } catch (UncheckedIOException | InputException e) {
      return new NotLoaded(NOT_LOADED + e.getMessage(), COPY_ELSEWHERE);
    } catch (UnsatisfiedLinkError e) {
      String build = platform.howToBuild();
      return new NotLoaded(
          NOT_LOADED + e.getMessage(),
          build == null ? COPY_ELSEWHERE : COPY_ELSEWHERE + "; " + build);
    }
  }

  /** What the build wrote down where it could not make the library. */
  private static String whyNotBuilt(Platform platform, Class<?> jar, String name)
      throws IOException {
    try (InputStream in = jar.getResourceAsStream(platform.note(name))) {
      return in == null
          ? ""
          : ": when it was built, " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  /** Returns the SHA-256 that the build wrote down, or null where there is no library. */
  static String digest(Class<?> jar, String resource) throws IOException {
    try (InputStream in = jar.getResourceAsStream(resource + ".sha256")) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    }
  }

  /** Returns a file with that digest. */
  static Path copy(Class<?> jar, String resource, String digest) throws IOException {
    String name = resource.substring(resource.lastIndexOf('/') + 1);
    int ending = name.lastIndexOf('.');
    Path cached =
        UserCache.folder()
            .resolve(
                name.substring(0, ending) + "-" + digest.substring(0, 16) + name.substring(ending));
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
    Path folder;
    try {
      folder = Files.createTempDirectory(TEMPORARY);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "no temporary folder in %s: %s"
              .formatted(System.getProperty("java.io.tmpdir"), FileFailures.reason(e)),
          e);
    }
    Path copy = folder.resolve(name);
    folder.toFile().deleteOnExit();
    copy.toFile().deleteOnExit();
    deleteLeftovers(folder.toAbsolutePath().getParent(), name);
    return verified(jar, resource, digest, copy);
  }

  /**
   * Deletes the temporary copies of earlier processes: Windows deletes no library that is loaded,
   * at the exit of its process neither.
   */
  static void deleteLeftovers(Path folder, String name) {
    Instant before = Instant.now().minus(LEFT_OVER);
    try (DirectoryStream<Path> copies = Files.newDirectoryStream(folder, TEMPORARY + "*")) {
      for (Path copy : copies) {
        if (Files.isDirectory(copy, LinkOption.NOFOLLOW_LINKS)
            && Files.getLastModifiedTime(copy).toInstant().isBefore(before)) {
          deleteLeftover(copy, name);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("old copies of the native kernels stay in {}", folder, e);
    }
  }

  private static void deleteLeftover(Path copy, String name) {
    try {
      Files.deleteIfExists(copy.resolve(name));
      Files.delete(copy);
    } catch (IOException e) {
      LOG.debug("{} stays: another process may have it loaded", copy, e);
    }
  }

  private static Path verified(Class<?> jar, String resource, String digest, Path file)
      throws IOException {
    if (has(file, digest)) {
      return file;
    }
    try (InputStream in = jar.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException(resource + " is not in this jar");
      }
      AtomicFiles.write(file, in::transferTo);
    } catch (UncheckedIOException e) {
      // Windows replaces no library that another process wrote and loaded meanwhile.
      if (has(file, digest)) {
        return file;
      }
      throw e;
    }
    String found = Digests.file(file);
    if (!found.equals(digest)) {
      throw new IOException(
          resource + ": found SHA-256 " + found + ", expected " + digest + ": a damaged jar");
    }
    return file;
  }

  private static boolean has(Path file, String digest) {
    return Files.isRegularFile(file) && Digests.file(file).equals(digest);
  }
}
