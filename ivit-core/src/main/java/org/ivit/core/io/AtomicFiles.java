package org.ivit.core.io;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * Writes a file or a folder under a temporary name beside its target, syncs it and renames it. The
 * target is either as it was or complete; after any failure the temporary is gone.
 *
 * <p>Every failure to write is an {@link UncheckedIOException} whose one-line message names the
 * target and the reason, for example a full disk.
 */
public final class AtomicFiles {
  private AtomicFiles() {}

  /**
   * What fills a file or a folder.
   *
   * @param <T> what it writes to
   */
  @FunctionalInterface
  public interface Body<T> {
    /**
     * Fills it.
     *
     * @param destination where to write
     * @throws IOException if writing fails; the target then stays as it was
     */
    void write(T destination) throws IOException;
  }

  /**
   * Replaces or creates a file. Missing parent folders are created.
   *
   * @param target the file
   * @param body fills it through a buffered stream, which it need not close
   * @throws UncheckedIOException naming the target, if it cannot be written
   */
  public static void write(Path target, Body<? super OutputStream> body) {
    try {
      Path file = followLink(target.toAbsolutePath());
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new FileSystemException(file.toString(), null, "exists and is not a regular file");
      }
      Files.createDirectories(parent(file));
      Path temporary = temporaryBeside(file);
      boolean done = false;
      try {
        try (FileChannel channel =
            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          OutputStream stream =
              new BufferedOutputStream(new Unclosed(Channels.newOutputStream(channel)), 1 << 16);
          body.write(stream);
          stream.flush();
          channel.force(true);
        }
        Files.move(
            temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        done = true;
      } finally {
        if (!done) {
          Files.deleteIfExists(temporary);
        }
      }
      syncFolder(parent(file));
    } catch (IOException e) {
      throw failure(target, e);
    }
  }

  /**
   * Replaces or creates a folder. Missing parent folders are created. A folder that already has the
   * name is moved aside first and deleted last; that replacement is not a single step, so a crash
   * in between leaves the old folder under a hidden temporary name.
   *
   * @param target the folder
   * @param body fills the empty folder that it is given
   * @throws UncheckedIOException naming the target, if it cannot be written
   */
  public static void writeDirectory(Path target, Body<? super Path> body) {
    try {
      Path folder = target.toAbsolutePath();
      Files.createDirectories(parent(folder));
      Path temporary = temporaryBeside(folder);
      boolean done = false;
      try {
        Files.createDirectory(temporary);
        body.write(temporary);
        syncTree(temporary);
        replaceFolder(temporary, folder);
        done = true;
      } finally {
        if (!done) {
          deleteTree(temporary);
        }
      }
      syncFolder(parent(folder));
    } catch (IOException e) {
      throw failure(target, e);
    }
  }

  /**
   * Deletes a folder with all that is in it; one that does not exist is no error.
   *
   * @throws UncheckedIOException naming the folder, if it cannot be deleted
   */
  public static void deleteDirectory(Path folder) {
    if (Files.notExists(folder)) {
      return;
    }
    try {
      deleteTree(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(folder + ": cannot be deleted: " + FileFailures.reason(e), e);
    }
  }

  private static void replaceFolder(Path temporary, Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    Path old = temporaryBeside(folder);
    Files.move(folder, old, StandardCopyOption.ATOMIC_MOVE);
    boolean replaced = false;
    try {
      Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
      replaced = true;
    } finally {
      if (!replaced) {
        Files.move(old, folder, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    deleteTree(old);
  }

  /** A link stays a link: what it names is replaced. */
  private static Path followLink(Path target) throws IOException {
    return Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
  }

  private static Path parent(Path target) throws IOException {
    Path parent = target.getParent();
    if (parent == null) {
      throw new FileSystemException(target.toString(), null, "has no parent folder");
    }
    return parent;
  }

  /** Not {@code Files.createTempFile}: its owner-only permissions would stay with the target. */
  private static Path temporaryBeside(Path target) {
    long random = ThreadLocalRandom.current().nextLong();
    return target.resolveSibling(
        "." + target.getFileName() + "." + Long.toHexString(random) + ".tmp");
  }

  private static void syncTree(Path root) throws IOException {
    for (Path path : contentsFirst(root)) {
      if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        syncFolder(path);
      } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      for (Path path : contentsFirst(root)) {
        Files.delete(path);
      }
    }
  }

  /** A folder after all that is in it. */
  private static List<Path> contentsFirst(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Makes the rename itself durable where the system can open a folder (Windows cannot). */
  @SuppressWarnings("EmptyCatch")
  private static void syncFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // The content is already in place: nothing to undo.
    }
  }

  private static UncheckedIOException failure(Path target, IOException e) {
    return new UncheckedIOException(target + ": cannot be written: " + FileFailures.reason(e), e);
  }

  /** Lets a body close its stream without closing the channel that is yet to be synced. */
  private static final class Unclosed extends FilterOutputStream {
    Unclosed(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
