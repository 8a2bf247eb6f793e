package org.ivit.core.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * The entries of a zip file by its central directory, zip64 included. Stored entries are slices of
 * the file, which {@code java.util.zip} cannot give; deflated ones are inflated when asked for. See
 * <a href="https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT">APPNOTE</a>.
 */
final class ZipEntries {
  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int END64 = 0x06064b50;
  private static final int LOCATOR64 = 0x07064b50;
  private static final long MASK = 0xffffffffL;
  private static final int END_SIZE = 22;
  private static final int CENTRAL_SIZE = 46;
  private static final int LOCAL_SIZE = 30;
  private static final int STORED = 0;
  private static final int DEFLATED = 8;

  /** Deflated weights shrink by little; who shrinks by more than this is a bomb. */
  private static final int MOST_EXPANSION = 64;

  private record Entry(long offset, long compressed, long size, int method, int flags, int crc) {}

  private final FileBytes file;
  private final CopyBudget budget;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  ZipEntries(FileBytes file) throws IOException {
    this.file = file;
    budget = new CopyBudget(file.size(), MOST_EXPANSION);
    readDirectory();
  }

  /** Names in the order of the directory. */
  Iterable<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  boolean contains(String name) {
    return entries.containsKey(name);
  }

  private void readDirectory() throws IOException {
    long tailSize = Math.min(file.size(), END_SIZE + 0xffffL);
    ByteBuffer tail = file.slice("zip directory", file.size() - tailSize, tailSize);
    int end = (int) tailSize - END_SIZE;
    while (end >= 0 && tail.getInt(end) != END) {
      end--;
    }
    if (end < 0) {
      throw new InputException(
          "%s: no zip directory at its end, at byte %d: truncated"
              .formatted(file.source(), file.size()));
    }
    long count = Short.toUnsignedInt(tail.getShort(end + 10));
    long size = tail.getInt(end + 12) & MASK;
    long offset = tail.getInt(end + 16) & MASK;
    if (end >= 20 && tail.getInt(end - 20) == LOCATOR64) {
      ByteBuffer end64 = file.slice("zip64 directory", tail.getLong(end - 12), 56);
      if (end64.getInt(0) != END64) {
        throw new InputException(file.source() + ": zip64 directory: damaged");
      }
      count = end64.getLong(32);
      size = end64.getLong(40);
      offset = end64.getLong(48);
    }
    ByteBuffer directory = file.slice("zip directory", offset, size);
    for (long i = 0; i < count; i++) {
      readEntry(directory);
    }
  }

  private void readEntry(ByteBuffer directory) {
    int at = directory.position();
    if (directory.remaining() < CENTRAL_SIZE || directory.getInt(at) != CENTRAL) {
      throw new InputException(
          "%s: zip directory: no entry at its byte %d: damaged".formatted(file.source(), at));
    }
    int nameLength = Short.toUnsignedInt(directory.getShort(at + 28));
    int extraLength = Short.toUnsignedInt(directory.getShort(at + 30));
    int commentLength = Short.toUnsignedInt(directory.getShort(at + 32));
    int length = CENTRAL_SIZE + nameLength + extraLength + commentLength;
    if (directory.remaining() < length) {
      throw new InputException(
          "%s: zip directory: ends within the entry at its byte %d".formatted(file.source(), at));
    }
    byte[] bytes = new byte[nameLength];
    directory.get(at + CENTRAL_SIZE, bytes);
    String name = new String(bytes, StandardCharsets.UTF_8);
    long compressed = directory.getInt(at + 20) & MASK;
    long size = directory.getInt(at + 24) & MASK;
    long offset = directory.getInt(at + 42) & MASK;
    ByteBuffer extra =
        directory.slice(at + CENTRAL_SIZE + nameLength, extraLength).order(ByteOrder.LITTLE_ENDIAN);
    if (size == MASK || compressed == MASK || offset == MASK) {
      ByteBuffer wide = zip64(extra, name);
      size = size == MASK ? wideField(wide, name) : size;
      compressed = compressed == MASK ? wideField(wide, name) : compressed;
      offset = offset == MASK ? wideField(wide, name) : offset;
    }
    Entry entry =
        new Entry(
            offset,
            compressed,
            size,
            directory.getShort(at + 10),
            directory.getShort(at + 8),
            directory.getInt(at + 16));
    if (entries.put(name, entry) != null) {
      throw refused(name, "is there twice");
    }
    directory.position(at + length);
  }

  private ByteBuffer zip64(ByteBuffer extra, String name) {
    while (extra.remaining() >= 4) {
      int id = extra.getShort();
      int size = Short.toUnsignedInt(extra.getShort());
      if (size > extra.remaining()) {
        break;
      }
      if (id == 1) {
        return extra.slice(extra.position(), size).order(ByteOrder.LITTLE_ENDIAN);
      }
      extra.position(extra.position() + size);
    }
    throw refused(name, "has no zip64 sizes");
  }

  private long wideField(ByteBuffer wide, String name) {
    if (wide.remaining() < 8) {
      throw refused(name, "has too few zip64 sizes");
    }
    return wide.getLong();
  }

  /**
   * @param checked whether the checksum of a stored entry is compared; PyTorch can be told to leave
   *     it out
   */
  ByteBuffer bytes(String name, boolean checked) throws IOException {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new InputException("%s: no %s in it".formatted(file.source(), MessageText.quote(name)));
    }
    String what = "entry " + MessageText.quote(name);
    if ((entry.flags & 1) != 0) {
      throw refused(name, "is encrypted");
    }
    ByteBuffer local = file.slice(what, entry.offset, LOCAL_SIZE);
    if (local.getInt(0) != LOCAL) {
      throw refused(name, "does not begin at byte " + entry.offset + ": damaged");
    }
    long begin =
        entry.offset
            + LOCAL_SIZE
            + Short.toUnsignedInt(local.getShort(26))
            + Short.toUnsignedInt(local.getShort(28));
    ByteBuffer data = file.slice(what, begin, entry.compressed);
    if (entry.method == STORED) {
      if (entry.size != entry.compressed) {
        throw refused(
            name, "is stored in %d bytes, expected %d".formatted(entry.compressed, entry.size));
      }
      if (checked) {
        CRC32 crc = new CRC32();
        crc.update(data.duplicate());
        checkSum(name, entry, crc);
      }
      return data;
    }
    if (entry.method != DEFLATED) {
      throw refused(name, "has compression " + entry.method + ", expected stored or deflated");
    }
    return inflate(name, entry, data);
  }

  /** Twice over the data: to know that its size is true before that much is allocated. */
  private ByteBuffer inflate(String name, Entry entry, ByteBuffer data) {
    if (entry.size < 0 || entry.size > Integer.MAX_VALUE) {
      throw refused(name, "has %d bytes, expected at most 2 GiB".formatted(entry.size));
    }
    budget.take(file.source() + ": entry " + MessageText.quote(name), entry.size);
    inflate(name, entry, data, null);
    byte[] inflated = new byte[(int) entry.size];
    inflate(name, entry, data, inflated);
    return ByteBuffer.wrap(inflated).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void inflate(String name, Entry entry, ByteBuffer data, byte[] target) {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(data.duplicate());
      CRC32 crc = new CRC32();
      byte[] chunk = target == null ? new byte[1 << 16] : target;
      long total = 0;
      while (!inflater.finished()) {
        int at = target == null ? 0 : (int) total;
        int room = target != null && at == target.length ? 0 : chunk.length - at;
        int count = room == 0 ? 0 : inflater.inflate(chunk, at, room);
        if (count == 0 && !inflater.finished()) {
          if (room == 0 && inflater.inflate(new byte[1]) == 0 && inflater.finished()) {
            break;
          }
          throw refused(name, "its deflated data end after %d bytes".formatted(total));
        }
        crc.update(chunk, at, count);
        total += count;
        if (total > entry.size) {
          break;
        }
      }
      if (total != entry.size) {
        throw refused(name, "inflates to other than the %d bytes it gives".formatted(entry.size));
      }
      checkSum(name, entry, crc);
    } catch (DataFormatException e) {
      throw new InputException(
          "%s: entry %s: its deflated data are damaged"
              .formatted(file.source(), MessageText.quote(name)),
          e);
    } finally {
      inflater.end();
    }
  }

  private void checkSum(String name, Entry entry, CRC32 crc) {
    if ((int) crc.getValue() != entry.crc) {
      throw refused(
          name, "has CRC %08x, expected %08x: damaged".formatted((int) crc.getValue(), entry.crc));
    }
  }

  private InputException refused(String name, String reason) {
    return new InputException(
        "%s: entry %s: %s".formatted(file.source(), MessageText.quote(name), reason));
  }
}
