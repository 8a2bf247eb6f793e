/** Pictures on Hadoop's file systems and in Parquet files. */
package org.ivit.spark.dataset;
