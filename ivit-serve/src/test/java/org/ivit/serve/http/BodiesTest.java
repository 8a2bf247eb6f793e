package org.ivit.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.eclipse.jetty.io.content.AsyncContent;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Test;

class BodiesTest {
  private static final int MOST = 100_000;

  private final Bodies bodies = new Bodies(MOST, 20_000);

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** Reads what comes in pieces of so many bytes. */
  private Body read(byte[] bytes, int piece, long length) {
    AsyncContent source = new AsyncContent();
    CompletableFuture<Body> body = bodies.read(source, length);
    for (int at = 0; at < bytes.length; at += piece) {
      int end = Math.min(bytes.length, at + piece);
      source.write(false, ByteBuffer.wrap(Arrays.copyOfRange(bytes, at, end)), Callback.NOOP);
    }
    source.close();
    return body.join();
  }

  private static byte[] bytes(Body body) {
    return Arrays.copyOf(body.bytes(), body.length());
  }

  @Test
  void readsWhatSaysItsLengthAndWhatDoesNot() {
    for (int length : new int[] {0, 1, 4095, 4096, 4097, 16_384, 16_385, 50_000, MOST}) {
      byte[] sent = random(length);
      for (int piece : new int[] {1000, 8192, MOST}) {
        assertThat(bytes(read(sent, piece, length))).isEqualTo(sent);
        assertThat(bytes(read(sent, piece, -1))).isEqualTo(sent);
      }
    }
  }

  @Test
  void whatIsTooLongIsRefused() {
    assertThatThrownBy(() -> read(random(MOST + 1), 1000, -1))
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            HttpFailure.class, failure -> assertThat(failure.reply().status()).isEqualTo(413));
  }

  @Test
  void whatIsBrokenOffIsRefused() {
    AsyncContent source = new AsyncContent();
    CompletableFuture<Body> body = bodies.read(source, 10);
    source.write(false, ByteBuffer.wrap(random(5)), Callback.NOOP);
    assertThat(body).isNotDone();
    source.fail(new IOException("closed"));
    assertThatThrownBy(body::join)
        .cause()
        .isInstanceOfSatisfying(
            HttpFailure.class, failure -> assertThat(failure.reply().status()).isEqualTo(400));
  }

  @Test
  void anArrayServesTheNextBodyOfAboutItsLength() {
    Body first = read(random(10_000), 1000, 10_000);
    assertThat(read(random(10_000), 1000, 10_000).bytes()).isNotSameAs(first.bytes());
    bodies.recycle(first);
    assertThat(read(random(100), 1000, 100).bytes()).isNotSameAs(first.bytes());
    Body second = read(random(9_000), 1000, 9_000);
    assertThat(second.bytes()).isSameAs(first.bytes());
    assertThat(bytes(second)).isEqualTo(random(9_000));
    assertThat(read(random(9_000), 1000, 9_000).bytes()).isNotSameAs(first.bytes());
  }

  @Test
  void theOldestArraysAreLetGo() {
    Body old = read(random(10_000), 1000, 10_000);
    Body young = read(random(10_000), 1000, 10_000);
    bodies.recycle(old);
    bodies.recycle(young);
    assertThat(read(random(10_000), 1000, 10_000).bytes()).isSameAs(young.bytes());
    assertThat(read(random(10_000), 1000, 10_000).bytes()).isNotSameAs(old.bytes());
  }
}
