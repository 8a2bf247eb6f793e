package org.ivit.core.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.FileFailures;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;

/**
 * The SHA-256 that a checkpoint carries of itself: of the whole file with the digest's own 64
 * characters as the character zero.
 */
final class FileDigest {
  static final String KEY = "sha256";

  private static final int CHARACTERS = 64;
  private static final String ZEROS = "0".repeat(CHARACTERS);

  private FileDigest() {}

  static boolean isDigest(String text) {
    return text.length() == CHARACTERS
        && text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }

  /**
   * Writes a safetensors file that carries its digest.
   *
   * @return the digest
   */
  static String write(OutputStream out, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    Map<String, String> signed = new LinkedHashMap<>(metadata);
    signed.put(KEY, ZEROS);
    MessageDigest digest = sha256();
    Safetensors.write(
        new DigestOutputStream(OutputStream.nullOutputStream(), digest), tensors, signed);
    String hex = HexFormat.of().formatHex(digest.digest());
    signed.put(KEY, hex);
    Safetensors.write(out, tensors, signed);
    return hex;
  }

  /** How many bytes {@link #write} writes. */
  static long bytes(Map<String, Tensor> tensors, Map<String, String> metadata) {
    Map<String, String> signed = new LinkedHashMap<>(metadata);
    signed.put(KEY, ZEROS);
    return Safetensors.bytes(tensors, signed);
  }

  /**
   * Computes a file's digest anew.
   *
   * @param file a well-formed safetensors file
   * @param stated the digest that its metadata state
   * @throws InputException naming the file, if it is another one or cannot be found in the header
   */
  static void verify(Path file, String stated) {
    if (!isDigest(stated)) {
      throw new InputException(
          "%s: %s is %s, expected 64 lower-case hex digits"
              .formatted(file, KEY, MessageText.quote(stated)));
    }
    String found;
    try (InputStream in = Files.newInputStream(file)) {
      found = digest(file, in, stated.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
    if (!found.equals(stated)) {
      throw new InputException(
          "%s: damaged or changed: its digest is %s, expected the stated %s"
              .formatted(file, found, stated));
    }
  }

  private static String digest(Path file, InputStream in, byte[] stated) throws IOException {
    byte[] length = in.readNBytes(Long.BYTES);
    long size = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] header = in.readNBytes(Math.toIntExact(size));
    int at = find(header, stated, 0);
    if (at < 0 || find(header, stated, at + 1) >= 0) {
      throw new InputException(
          "%s: the header states its %s not exactly once".formatted(file, KEY));
    }
    Arrays.fill(header, at, at + CHARACTERS, (byte) '0');
    MessageDigest digest = sha256();
    digest.update(length);
    digest.update(header);
    update(digest, in);
    return HexFormat.of().formatHex(digest.digest());
  }

  private static int find(byte[] text, byte[] part, int from) {
    for (int at = from; at + part.length <= text.length; at++) {
      if (Arrays.equals(text, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    return -1;
  }

  private static void update(MessageDigest digest, InputStream in) throws IOException {
    byte[] chunk = new byte[1 << 16];
    for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
      digest.update(chunk, 0, count);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
