// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a setting is for; the page docs/configuration/gateway.md is made of these. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Describe {
    String value();
}
