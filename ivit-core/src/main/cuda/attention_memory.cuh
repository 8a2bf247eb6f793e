/*
 * What a block of attention reads, and how it lies in shared memory: keys and values in the order in
 * which fragments of products take them, and the table of exponentials.
 */
#pragma once

#include "divide.cuh"
#include "requantize.cuh"

namespace ivit {

struct AttentionArguments {
  Global<const int8_t> qkv;            /* [groups * tokens][3][heads][padded_dim] */
  Global<int8_t> context;              /* [groups * queries][context_stride] */
  Global<const int32_t> place;         /* of each context channel in its row; null for in order */
  Global<const Bytes16> channels;      /* Channel, [heads][padded_dim] */
  Global<const uint32_t> exponentials; /* [257] */
  Global<const int32_t> score_terms;   /* requantized scores by offset code, [256]; null outside of
                                          windows */
  Global<const int32_t> biases;        /* requantized, [heads][query][key] */
  Global<const uint32_t> masks; /* a bit a masked key, [windows][query][mask_words]; or null */
  Divisor window_divisor;
  int32_t score_multiplier; /* of scores, as a Channel has it */
  int32_t score_half;       /* 0 where e is below 33 */
  int32_t score_shift;
  int32_t windows; /* of a picture */
  int32_t tokens;  /* of a group */
  int32_t queries; /* of a group that are asked for: the first ones */
  int32_t heads;
  int32_t head_dim;
  int32_t padded_dim; /* a multiple of 32 */
  int32_t context_stride;
  int32_t mask_words;
  uint32_t rounding;
  int32_t wide;
  int32_t span; /* tokens whose keys and values lie in shared memory: all, or a multiple of 32 */
  int32_t copy_bits; /* of each exponential lie 4 << copy_bits in shared memory; 0 to 3 */
  int32_t together;  /* whether all warps of a block take the same queries and split the keys */
};

/* Whether scores take on biases and masks: in no launch of a kernel, in every one, or in some. */
enum class Windows { NEVER, ALWAYS, PERHAPS };

template <Windows WINDOWS>
IVIT_DEVICE bool in_windows(const AttentionArguments &a) {
  return WINDOWS == Windows::ALWAYS
      || (WINDOWS == Windows::PERHAPS && present(a.score_terms));
}

enum {
  KEYS = 32,    /* that a warp takes at a time */
  QUERIES = 16, /* that a warp takes at a time */
  MOST_COPIES = 32
};

/* Padded channels of a head. Only heads of more than 64 leave it to run time. */
template <int STEPS>
IVIT_DEVICE int padded_dim(const AttentionArguments &a) {
  return STEPS <= 2 ? STEPS * K_STEP : a.padded_dim;
}

/*
 * Shared memory of a block, in bytes from its beginning, where the exponentials lie. AttentionShape in
 * Java sums in the same way. Keys and values of spans take each other's place.
 */
struct AttentionLayout {
  int key_stride;  /* of a row of a key */
  int value_block; /* of the values of 32 tokens */
  int score_bytes; /* of the codes of 16 queries */
  int terms;
  int keys;
  int values;
  int scores;
  int exchange; /* where warps that split the keys meet */
};

template <int STEPS, Windows WINDOWS>
IVIT_DEVICE AttentionLayout attention_layout(const AttentionArguments &a) {
  AttentionLayout l;
  bool whole = a.span >= a.tokens;
  int padded_tokens = (a.tokens + KEYS - 1) & ~(KEYS - 1);
  int padded_span = whole ? padded_tokens : a.span;
  /* 16 bytes more a row: eight rows of one piece then lie in different banks. */
  l.key_stride = padded_dim<STEPS>(a) + 16;
  l.value_block = padded_dim<STEPS>(a) * KEYS;
  l.score_bytes = padded_tokens * QUERIES;
  l.terms = 257 * 16 << a.copy_bits;
  l.keys = l.terms + (in_windows<WINDOWS>(a) ? 1024 : 0);
  int key_bytes = padded_span * l.key_stride;
  l.values = whole ? l.keys + key_bytes : l.keys;
  /* A row of a key is longer than that of a value. */
  l.scores = whole ? l.values + padded_span * padded_dim<STEPS>(a) : l.keys + key_bytes;
  l.exchange = l.scores + (a.together ? 1 : (int)blockDim.x / WARP) * l.score_bytes;
  return l;
}

/* One head of one group. */
struct Head {
  int number;
  int group;
  int64_t row; /* of the group's first token */
  int stride;  /* bytes of a row */

  IVIT_DEVICE int64_t at(const AttentionArguments &a, int part, int token) const {
    return (row + token) * stride + (part * a.heads + number) * a.padded_dim;
  }
};

/* Tokens whose keys and values lie in shared memory. */
struct Span {
  int first;
  int end;

  IVIT_DEVICE int count() const { return end - first; }
};

IVIT_DEVICE Span span_from(const AttentionArguments &a, int first) {
  return Span{first, a.span < a.tokens - first ? first + a.span : a.tokens};
}

/*
 * Keys, of whole steps of 32, zeros beyond the last. Of 16 keys, 4i, 4i + 1, 4i + 2 and 4i + 3 lie in
 * rows 2i, 2i + 1, 2i + 8 and 2i + 9: so the accumulators of a lane, columns 2i and 2i + 1 of two
 * products, are scores of four neighbouring keys, the word that the lane has of a left operand.
 */
template <int STEPS>
IVIT_DEVICE void load_keys(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Span &span,
    Shared<unsigned char> memory) {
  const int lanes = STEPS == 1 ? 2 : 4;
  int rows = (span.count() + KEYS - 1) & ~(KEYS - 1);
#pragma unroll 1
  for (int key = (int)threadIdx.x / lanes; key < rows; key += (int)blockDim.x / lanes) {
    int row = (key & ~15) | (key & 2) << 2 | (key & 12) >> 1 | (key & 1);
    bool valid = key < span.count();
    auto from = a.qkv + head.at(a, 1, span.first + (valid ? key : 0));
#pragma unroll
    for (int c = 0; c < STEPS * K_STEP; c += 16 * lanes) {
      int piece = c + (int)threadIdx.x % lanes * 16;
      if (piece < padded_dim<STEPS>(a)) {
        copy16(memory + (l.keys + row * l.key_stride + piece), from + piece, valid);
      }
    }
  }
  copies_commit();
}

/*
 * Four rows of four bytes to four columns: out[k] is column k ^ turn. Lanes of different turns write
 * different rows of values at once, and so to different banks.
 */
IVIT_DEVICE void transpose(
    uint32_t in0, uint32_t in1, uint32_t in2, uint32_t in3, int turn, uint32_t (&out)[4]) {
  uint32_t outer = (turn & 2) != 0 ? 0x7362u : 0x5140u;
  uint32_t inner = (turn & 1) != 0 ? 0x7632u : 0x5410u;
  uint32_t a = permute(in0, in1, outer);
  uint32_t b = permute(in2, in3, outer);
  uint32_t c = permute(in0, in1, outer ^ 0x2222u);
  uint32_t d = permute(in2, in3, outer ^ 0x2222u);
  out[0] = permute(a, b, inner);
  out[1] = permute(a, b, inner ^ 0x2222u);
  out[2] = permute(c, d, inner);
  out[3] = permute(c, d, inner ^ 0x2222u);
}

/*
 * Values, by channel, because a right operand is read along K, which is tokens here: blocks of 32
 * tokens, in them 32 bytes a channel, whose halves change places where the channel has bit 2, so that
 * eight rows of one half lie in different banks. A thread takes four tokens and 16 channels.
 */
template <int STEPS>
IVIT_DEVICE void load_values(
    const AttentionArguments &a, const AttentionLayout &l, const Head &head, const Span &span,
    Shared<unsigned char> memory) {
  const int lanes = STEPS == 1 ? 2 : 4;
  int rows = (span.count() + KEYS - 1) & ~(KEYS - 1);
#pragma unroll 1
  for (int i = (int)threadIdx.x; i < rows / 4 * lanes; i += (int)blockDim.x) {
    int token = i / lanes * 4;
    int turn = STEPS == 1 ? (i & 1) | (i >> 3 & 2) : i & 3;
#pragma unroll 1
    for (int c = i % lanes * 16; c < padded_dim<STEPS>(a); c += lanes * 16) {
      Bytes16 in[4];
#pragma unroll
      for (int k = 0; k < 4; k++) {
        in[k] = token + k < span.count()
            ? *as<const Bytes16>(a.qkv + (head.at(a, 2, span.first + token + k) + c))
            : Bytes16{{0, 0, 0, 0}};
      }
      auto to = memory + (l.values + token / KEYS * l.value_block + c * KEYS + (token & 12));
#pragma unroll
      for (int j = 0; j < 4; j++) {
        uint32_t out[4];
        transpose(in[0].r[j], in[1].r[j], in[2].r[j], in[3].r[j], turn, out);
        int half = (token ^ j << 4) & 16;
#pragma unroll
        for (int k = 0; k < 4; k++) {
          *as<uint32_t>(to + ((4 * j + (k ^ turn)) * KEYS + half)) = out[k];
        }
      }
    }
  }
}

/* The 16 bytes of a channel's row of values, in its block, that hold 16 of 32 tokens. */
IVIT_DEVICE int value_at(int channel, int half) {
  return channel * KEYS + ((half << 4) ^ (channel << 2 & 16));
}

/* As many copies of each exponential beside each other as lanes may look up at once. */
IVIT_DEVICE void load_exponentials(const AttentionArguments &a, Shared<unsigned char> memory) {
  const int together = 4;
  int count = 257 << a.copy_bits;
  /* Not unrolled by the compiler, which would divide by the number of threads. */
#pragma unroll 1
  for (int first = (int)threadIdx.x; first < count; first += together * (int)blockDim.x) {
    uint32_t e[together];
#pragma unroll
    for (int k = 0; k < together; k++) {
      int i = first + k * (int)blockDim.x;
      e[k] = i < count ? a.exponentials[i >> a.copy_bits] : 0;
    }
#pragma unroll
    for (int k = 0; k < together; k++) {
      int i = first + k * (int)blockDim.x;
      if (i < count) {
        as<Bytes16>(memory)[i] = Bytes16{{e[k], e[k], e[k], e[k]}};
      }
    }
  }
}

IVIT_DEVICE void load_terms(
    const AttentionArguments &a, const AttentionLayout &l, Shared<unsigned char> memory) {
#pragma unroll 1
  for (int i = (int)threadIdx.x; i < 256; i += (int)blockDim.x) {
    as<int32_t>(memory + l.terms)[i] = a.score_terms[i];
  }
}

}  // namespace ivit
