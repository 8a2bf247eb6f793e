/** Where the accuracy goes: what the quantization of each node of a run costs. */
package org.ivit.export.diagnose;
