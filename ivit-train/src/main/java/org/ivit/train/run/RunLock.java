package org.ivit.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps other processes from training in a run's folder: an exclusive lock of the system on the
 * file {@value #NAME}, which holds this process's id. The system releases it when the process ends,
 * however that happens; a file that stays behind locks nothing. Where a file system has no locks,
 * there is none.
 */
public final class RunLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RunLock.class);

  private static final String NAME = "lock";

  /** Beyond the text, which others could else not read on every system. */
  private static final long LOCKED_BYTE = Integer.MAX_VALUE;

  private static final int LONGEST_ID = 20;

  /**
   * Folders that this process has locked. It must not open their files again: where locks are the
   * process's own, closing a second channel would release them.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final Path created;
  private final FileChannel channel;

  private RunLock(Path folder, Path created, FileChannel channel) {
    this.folder = folder;
    this.created = created;
    this.channel = channel;
  }

  /**
   * Locks a folder, which is made if it does not exist.
   *
   * @throws InputException naming the folder and the process that has locked it
   * @throws UncheckedIOException if the folder cannot be written
   */
  public static RunLock take(Path run) {
    try {
      Path created = firstMissing(run.toAbsolutePath());
      Files.createDirectories(run);
      Path folder = run.toRealPath();
      if (!HELD.add(folder)) {
        throw locked(run, Long.toString(ProcessHandle.current().pid()));
      }
      boolean done = false;
      try {
        RunLock lock = new RunLock(folder, created, open(run, folder.resolve(NAME)));
        done = true;
        return lock;
      } finally {
        if (!done) {
          HELD.remove(folder);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(run + ": cannot be written: " + FileFailures.reason(e), e);
    }
  }

  private static Path firstMissing(Path path) {
    Path missing = null;
    for (Path p = path; p != null && Files.notExists(p); p = p.getParent()) {
      missing = p;
    }
    return missing;
  }

  private static FileChannel open(Path run, Path file) throws IOException {
    while (true) {
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      boolean done = false;
      try {
        Object opened = key(file);
        if (!lock(channel)) {
          throw locked(run, read(channel));
        }
        // Another process may have deleted the file before it gave it free.
        if (opened != null && Objects.equals(opened, key(file))) {
          channel.truncate(0);
          channel.write(StandardCharsets.US_ASCII.encode(ProcessHandle.current().pid() + "\n"), 0);
          done = true;
          return channel;
        }
      } finally {
        if (!done) {
          channel.close();
        }
      }
    }
  }

  private static boolean lock(FileChannel channel) {
    try {
      FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
      return lock != null;
    } catch (IOException e) {
      LOG.debug("no lock", e);
      return true;
    }
  }

  /** What tells a file from another of the same name; null where there is none. */
  private static Object key(Path file) {
    try {
      Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      return key == null ? file : key;
    } catch (IOException e) {
      return null;
    }
  }

  private static String read(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LONGEST_ID);
    channel.read(bytes, 0);
    return StandardCharsets.US_ASCII.decode(bytes.flip()).toString().strip();
  }

  private static InputException locked(Path run, String process) {
    return new InputException(
        "%s: %s trains in this folder, expected no other: wait for its end, or end it"
            .formatted(run, (process.isEmpty() ? "another process" : "process " + process)));
  }

  /** Releases the lock; of folders that were made for it, the empty ones are gone again. */
  @Override
  public void close() {
    try {
      Files.deleteIfExists(folder.resolve(NAME));
      channel.close();
    } catch (IOException e) {
      LOG.debug("{} stays behind", NAME, e);
    } finally {
      HELD.remove(folder);
    }
    if (created != null) {
      deleteEmpty();
    }
  }

  private void deleteEmpty() {
    try {
      Path last = created.toRealPath();
      for (Path p = folder; p.startsWith(last); p = p.getParent()) {
        Files.delete(p);
      }
    } catch (IOException e) {
      LOG.debug("{} is in use", folder, e);
    }
  }
}
