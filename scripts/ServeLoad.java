import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Asks a server for the logits of pictures over many connections at once, for scripts/serve-load:
 * pictures of random pixels of the model's size, as tensors behind the JSON. Each answer must be,
 * byte by byte, what the server answered when it was asked for that picture alone.
 */
class ServeLoad {
  private static final int PICTURES = 32;

  private record Answer(int status, byte[] body) {}

  private static final AtomicLong wrong = new AtomicLong();
  private static final AtomicLong lost = new AtomicLong();

  /**
   * Arguments: port, model, width, height, connections, seconds, and the process of the server,
   * whose processor time it tells where /proc does.
   */
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    int width = Integer.parseInt(args[2]);
    int height = Integer.parseInt(args[3]);
    int connections = Integer.parseInt(args[4]);
    double seconds = Double.parseDouble(args[5]);
    byte[][] requests = new byte[PICTURES][];
    byte[][] expected = new byte[PICTURES][];
    try (Socket socket = new Socket("127.0.0.1", port)) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < PICTURES; i++) {
        requests[i] = request(args[1], width, height, new Random(i));
        Answer answer = ask(socket, in, requests[i]);
        if (answer.status() != 200) {
          throw new IOException(new String(answer.body(), StandardCharsets.UTF_8));
        }
        expected[i] = answer.body();
      }
    }
    run(port, connections, seconds / 6, requests, expected);
    wrong.set(0);
    lost.set(0);
    Path server = Path.of("/proc", args[6], "stat");
    Path client = Path.of("/proc/self/stat");
    double serverBefore = processorMillis(server);
    double clientBefore = processorMillis(client);
    long start = System.nanoTime();
    long[] times = run(port, connections, seconds, requests, expected);
    double took = (System.nanoTime() - start) / 1e9;
    Arrays.sort(times);
    System.out.printf(
        Locale.ROOT,
        "answers %d  wrong %d  lost %d  pictures/s %.1f  p50 %.1f ms  p99 %.1f ms%n",
        times.length,
        wrong.get(),
        lost.get(),
        times.length / took,
        times[times.length / 2] / 1e6,
        times[(int) (0.99 * times.length)] / 1e6);
    if (Files.isReadable(server)) {
      System.out.printf(
          Locale.ROOT,
          "processor time a picture: server %.2f ms  client %.2f ms%n",
          (processorMillis(server) - serverBefore) / times.length,
          (processorMillis(client) - clientBefore) / times.length);
    }
    System.exit(wrong.get() + lost.get() > 0 ? 1 : 0);
  }

  /** Milliseconds that a process has had, of a system with 100 ticks a second; 0 without /proc. */
  private static double processorMillis(Path stat) throws IOException {
    if (!Files.isReadable(stat)) {
      return 0;
    }
    String text = Files.readString(stat);
    String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
    return 10.0 * (Long.parseLong(fields[11]) + Long.parseLong(fields[12]));
  }

  /** Nanoseconds of each answer. */
  private static long[] run(
      int port, int connections, double seconds, byte[][] requests, byte[][] expected)
      throws InterruptedException {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    List<Thread> threads = new ArrayList<>();
    List<List<Long>> times = new ArrayList<>();
    for (int c = 0; c < connections; c++) {
      List<Long> mine = new ArrayList<>();
      times.add(mine);
      int first = c;
      Thread thread = new Thread(() -> talk(port, first, end, requests, expected, mine));
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return times.stream().flatMap(List::stream).mapToLong(Long::longValue).toArray();
  }

  private static void talk(
      int port, int first, long end, byte[][] requests, byte[][] expected, List<Long> times) {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(60_000);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = first; System.nanoTime() < end; i++) {
        long start = System.nanoTime();
        Answer answer = ask(socket, in, requests[i % PICTURES]);
        times.add(System.nanoTime() - start);
        if (answer.status() != 200 || !Arrays.equals(answer.body(), expected[i % PICTURES])) {
          wrong.incrementAndGet();
        }
      }
    } catch (IOException e) {
      lost.incrementAndGet();
    }
  }

  private static byte[] request(String model, int width, int height, Random random)
      throws IOException {
    byte[] pixels = new byte[3 * width * height];
    random.nextBytes(pixels);
    String json =
        ("{'inputs':[{'name':'pixels','datatype':'UINT8','shape':[1,%d,%d,3],'parameters':"
                + "{'transformed':true,'binary_data_size':%d}}],"
                + "'outputs':[{'name':'logits','parameters':{'binary_data':true}}]}")
            .formatted(height, width, pixels.length)
            .replace('\'', '"');
    String head =
        "POST /v2/models/%s/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nInference-Header-Content-Length: %d\r\n\r\n"
            .formatted(model, json.length() + pixels.length, json.length());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write((head + json).getBytes(StandardCharsets.US_ASCII));
    out.write(pixels);
    return out.toByteArray();
  }

  private static Answer ask(Socket socket, InputStream in, byte[] request) throws IOException {
    socket.getOutputStream().write(request);
    String status = line(in);
    int length = -1;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(header.substring(15).strip());
      }
    }
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new IOException("the answer was cut");
    }
    return new Answer(Integer.parseInt(status.split(" ")[1]), body);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new IOException("the connection was closed");
      }
      if (b != '\r') {
        line.append((char) b);
      }
    }
    return line.toString();
  }
}
