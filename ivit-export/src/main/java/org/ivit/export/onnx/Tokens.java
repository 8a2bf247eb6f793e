package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import ai.onnx.proto.OnnxMl.AttributeProto;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.Size;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;

/** Where tokens go: operators that move values and compute none, for any type of value. */
final class Tokens {
  private final OnnxGraph graph;

  Tokens(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * @param shape of the result; one size may be −1
   */
  String reshape(String x, String name, long... shape) {
    return graph.node("Reshape", name + "/reshape", List.of(x, graph.vector(shape)));
  }

  String transpose(String x, String name, long... order) {
    return graph.node("Transpose", name + "/transpose", List.of(x), attribute("perm", order));
  }

  /**
   * Takes members of an axis in a given order.
   *
   * @param indices which, of any number
   */
  String gather(String x, String name, int[] indices, int axis) {
    long[] wide = Arrays.stream(indices).asLongStream().toArray();
    String index = graph.longs(name + "/indices", wide, wide.length);
    return graph.node("Gather", name + "/gather", List.of(x, index), attribute("axis", axis));
  }

  /**
   * Cuts pictures into patches.
   *
   * @param x [batch, 3, height, width]
   * @param image size of a picture
   * @return rows of (channel, row, column), [batch·patches, 3·patch·patch]
   */
  String unfold(String x, String name, Size image, int patch) {
    Size grid = image.dividedBy(patch);
    String cut = reshape(x, name, -1, 3, grid.height(), patch, grid.width(), patch);
    return reshape(transpose(cut, name, 0, 2, 4, 1, 3, 5), name, -1, 3L * patch * patch);
  }

  /**
   * Puts constant tokens before those of each picture.
   *
   * @param leading [1, count, channels]
   * @param x [batch, tokens, channels]
   * @return [batch, count + tokens, channels]
   */
  String prepend(String leading, int count, String x, String name, int channels) {
    AttributeProto first = attribute("start", 0L);
    String batch = graph.node("Shape", name + "/batch", List.of(x), first, attribute("end", 1L));
    String shape =
        graph.node(
            "Concat",
            name + "/shape",
            List.of(batch, graph.vector(count, channels)),
            attribute("axis", 0L));
    String tokens = graph.node("Expand", name + "/leading", List.of(leading, shape));
    return graph.node("Concat", name, List.of(tokens, x), attribute("axis", 1L));
  }

  /**
   * One token of each picture.
   *
   * @param x [batch, tokens, channels]
   * @param token its number
   * @return [batch, channels]
   */
  String token(String x, int token, String name) {
    return graph.node(
        "Gather", name + "/token", List.of(x, graph.scalar((long) token)), attribute("axis", 1L));
  }

  /**
   * Some tokens of each picture, one after the other.
   *
   * @param rows [batch·tokens, channels]
   * @param tokens of a picture
   * @param from the first that is taken
   * @param to the one behind the last
   * @return [batch, to − from, channels]
   */
  String slice(String rows, String name, int tokens, int from, int to, int channels) {
    String pictures = reshape(rows, name, -1, tokens, channels);
    return from == 0 && to == tokens
        ? pictures
        : graph.node(
            "Slice",
            name + "/slice",
            List.of(pictures, graph.vector(from), graph.vector(to), graph.vector(1)));
  }

  /**
   * The first tokens of each picture.
   *
   * @param rows [batch·tokens, channels]
   * @param tokens of a picture
   * @param count of those that are taken
   * @return [batch·count, channels]
   */
  String first(String rows, String name, int tokens, int count, int channels) {
    return count == tokens
        ? rows
        : reshape(slice(rows, name, tokens, 0, count, channels), name, -1, channels);
  }

  /**
   * Brings the tokens of pictures into window order.
   *
   * @param rows [batch·tokens, channels]
   * @return the same shape; the rows themselves in a block without windows
   */
  String partition(String rows, Block site, String name) {
    return site.windows() == null ? rows : reorder(rows, site, name, site.windows().order());
  }

  /** The inverse of {@link #partition}. */
  String reverse(String rows, Block site, String name) {
    return site.windows() == null ? rows : reorder(rows, site, name, site.windows().places());
  }

  private String reorder(String rows, Block site, String name, int[] order) {
    if (Arrays.equals(order, IntStream.range(0, order.length).toArray())) {
      return rows;
    }
    String pictures = reshape(rows, name, -1, site.tokens(), site.dim());
    return reshape(gather(pictures, name, order, 1), name, -1, site.dim());
  }

  /**
   * Queries, keys and values of each head, from rows of (q|k|v), head, channel.
   *
   * @param rows [batch·tokens, 3·dim]
   * @return query and value [groups, heads, tokens, channels], key [groups, heads, channels,
   *     tokens]; in the order query, key, value
   */
  List<String> heads(String rows, Block site, String name) {
    List<String> parts = graph.split(name + "/split", rows, 1, 3);
    return List.of(
        head(parts.get(0), site, name + "/q", 0, 2, 1, 3),
        head(parts.get(1), site, name + "/k", 0, 2, 3, 1),
        head(parts.get(2), site, name + "/v", 0, 2, 1, 3));
  }

  private String head(String rows, Block site, String name, long... order) {
    String split = reshape(rows, name, -1, site.rowTokens(), site.heads(), site.headDim());
    return transpose(split, name, order);
  }

  /**
   * Queries and keys of each head.
   *
   * @param rows [batch·tokens, 2·dim]
   * @return [batch, tokens, 2·heads, channels]
   */
  String pairs(String rows, Block site, String name) {
    return reshape(rows, name, -1, site.tokens(), 2L * site.heads(), site.headDim());
  }

  /**
   * Each channel's partner of rotary positions in its place.
   *
   * @param x from {@link #pairs}
   * @return the same shape
   */
  String partners(String x, Block site, String name) {
    int headDim = site.headDim();
    int[] partner = new int[headDim];
    Arrays.setAll(partner, c -> site.rotary().kind().partner(c, headDim));
    if (partner[0] != headDim / 2) {
      return gather(x, name, partner, 3);
    }
    List<String> halves = graph.split(name + "/halves", x, 3, 2);
    return graph.node(
        "Concat", name + "/swapped", List.of(halves.get(1), halves.get(0)), attribute("axis", 3L));
  }

  /**
   * Parts of rows side by side.
   *
   * @param rows [rows, first + second]
   * @param first channels of the first part
   * @param second channels of the second
   */
  List<String> split(String rows, String name, long first, long second) {
    return graph.nodes(
        "Split",
        name + "/split",
        2,
        List.of(rows, graph.vector(first, second)),
        attribute("axis", 1L));
  }

  /**
   * Values of each head for the one query of an attention pooling.
   *
   * @param rows [batch·tokens, dim]
   * @return [batch, heads, tokens, channels]
   */
  String queryValues(String rows, AttentionPooling site, String name) {
    String split = reshape(rows, name, -1, site.tokens(), site.heads(), site.headDim());
    return transpose(split, name, 0, 2, 1, 3);
  }

  /**
   * Scores of each head for the one query of an attention pooling.
   *
   * @param rows [batch·tokens, heads]
   * @return [batch, heads, 1, tokens]
   */
  String queryScores(String rows, AttentionPooling site, String name) {
    String split = reshape(rows, name, -1, site.tokens(), site.heads(), 1);
    return transpose(split, name, 0, 2, 3, 1);
  }

  /**
   * Joins the heads.
   *
   * @param context [groups, heads, tokens, channels]
   * @return [batch·tokens, dim]
   */
  String join(String context, int dim, String name) {
    return reshape(transpose(context, name, 0, 2, 1, 3), name, -1, dim);
  }

  /**
   * Puts the neighbours (0,0), (1,0), (0,1), (1,1) of a grid side by side.
   *
   * @param rows [batch·tokens, channels]
   * @param resolution size of the grid, even
   * @return [batch·tokens/4, 4·channels]
   */
  String neighbours(String rows, String name, Size resolution, int channels) {
    Size half = resolution.dividedBy(2);
    String grid = reshape(rows, name, -1, half.height(), 2, half.width(), 2, channels);
    return reshape(transpose(grid, name, 0, 1, 3, 4, 2, 5), name, -1, 4L * channels);
  }
}
