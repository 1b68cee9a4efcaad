// SPDX-License-Identifier: Apache-2.0
/** Where objects are kept: a directory, or a bucket of S3. */
@NullMarked
package io.attestream.objects;

import org.jspecify.annotations.NullMarked;
