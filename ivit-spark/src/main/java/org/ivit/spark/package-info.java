/** Evaluation and data-parallel training on Apache Spark. */
package org.ivit.spark;
